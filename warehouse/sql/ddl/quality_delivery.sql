-- quality.delivery
-- Grain:   one row per load and delivery that it processed.
-- Reads:   the load log.
-- Feeds:   scorecards, ledger, findings.
CREATE TABLE quality.delivery (
  delivery_key INTEGER NOT NULL,
  load_id INTEGER NOT NULL,
  center_id VARCHAR NOT NULL,
  delivery_id VARCHAR NOT NULL,
  received_on DATE,
  sequence INTEGER NOT NULL,
  mode VARCHAR NOT NULL,
  outcome VARCHAR NOT NULL,
  reason VARCHAR,
  is_current BOOLEAN NOT NULL,
  spec_hash VARCHAR NOT NULL
)
