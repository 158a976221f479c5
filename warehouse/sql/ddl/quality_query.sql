-- quality.query
-- Grain:   one row per query: a fact that a center was, is or may be asked about.
-- Reads:   the log of queries in the vault, without the center's ids, values, comments and names.
-- Feeds:   scorecards, report.
CREATE TABLE quality.query (
  query_id VARCHAR NOT NULL,
  center_id VARCHAR NOT NULL,
  usubjid VARCHAR,
  rule_id VARCHAR NOT NULL,
  severity VARCHAR NOT NULL,
  "table" VARCHAR,
  instance VARCHAR,
  field VARCHAR,
  state VARCHAR NOT NULL,
  resolution VARCHAR,
  created_at TIMESTAMP NOT NULL,
  released_at TIMESTAMP,
  sent_at TIMESTAMP,
  answered_at TIMESTAMP,
  ended_at TIMESTAMP,
  n_reopened INTEGER NOT NULL,
  answer VARCHAR,
  outcome VARCHAR,
  created_load INTEGER,
  delivery_key INTEGER,
  finding_id BIGINT
)
