-- quality.check_run
-- Grain:   one row per delivery, rule and table.
-- Reads:   check_run.parquet of every staged delivery.
-- Feeds:   scorecards.
CREATE TABLE quality.check_run (
  delivery_key INTEGER NOT NULL,
  load_id INTEGER NOT NULL,
  rule_id VARCHAR NOT NULL,
  severity VARCHAR,
  "table" VARCHAR,
  outcome VARCHAR NOT NULL,
  numerator BIGINT,
  denominator BIGINT,
  reason VARCHAR
)
