-- quality.finding
-- Grain:   one row per finding.
-- Reads:   finding.parquet of every staged delivery.
-- Feeds:   queries, scorecards.
CREATE TABLE quality.finding (
  delivery_key INTEGER NOT NULL,
  load_id INTEGER NOT NULL,
  center_id VARCHAR NOT NULL,
  delivery_id VARCHAR NOT NULL,
  finding_id BIGINT NOT NULL,
  rule_id VARCHAR NOT NULL,
  severity VARCHAR NOT NULL,
  disposition VARCHAR NOT NULL,
  scope VARCHAR NOT NULL,
  "table" VARCHAR,
  usubjid VARCHAR,
  row_id BIGINT
)
