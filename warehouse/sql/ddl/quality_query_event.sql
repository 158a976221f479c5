-- quality.query_event
-- Grain:   one row per change of a query.
-- Reads:   the log of queries in the vault; reasons that people wrote stay there.
-- Feeds:   scorecards, report.
CREATE TABLE quality.query_event (
  query_id VARCHAR NOT NULL,
  event_number INTEGER NOT NULL,
  "at" TIMESTAMP NOT NULL,
  actor VARCHAR NOT NULL,
  load_id INTEGER,
  event VARCHAR NOT NULL,
  from_state VARCHAR,
  to_state VARCHAR NOT NULL,
  resolution VARCHAR,
  reason VARCHAR
)
