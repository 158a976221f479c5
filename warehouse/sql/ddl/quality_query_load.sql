-- quality.query_load
-- Grain:   one row per load, center, rule and outcome: what the load found of the queries.
-- Reads:   the log of queries in the vault.
-- Feeds:   scorecards, report.
CREATE TABLE quality.query_load (
  load_id INTEGER NOT NULL,
  center_id VARCHAR NOT NULL,
  rule_id VARCHAR NOT NULL,
  outcome VARCHAR NOT NULL,
  n BIGINT NOT NULL
)
