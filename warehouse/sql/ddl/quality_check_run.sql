-- quality.check_run
-- Grain:   one row per delivery, rule and table; of the audit of this load one row per check, center and table.
-- Reads:   check_run.parquet of every staged delivery; the results of the audit.
-- Feeds:   scorecards.
-- The audit adds rows of rule_id AUD-01 and following, without a delivery where a check is about more than one center.
CREATE TABLE quality.check_run (
  delivery_key INTEGER,
  load_id INTEGER NOT NULL,
  rule_id VARCHAR NOT NULL,
  severity VARCHAR,
  "table" VARCHAR,
  outcome VARCHAR NOT NULL,
  numerator BIGINT,
  denominator BIGINT,
  reason VARCHAR
)
