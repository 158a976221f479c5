-- quality.finding_field
-- Grain:   one row per finding and field that it involves.
-- Reads:   finding_field.parquet of every staged delivery.
-- Feeds:   queries, scorecards.
CREATE TABLE quality.finding_field (
  delivery_key INTEGER NOT NULL,
  finding_id BIGINT NOT NULL,
  position SMALLINT NOT NULL,
  "table" VARCHAR,
  "column" VARCHAR,
  file VARCHAR,
  sheet VARCHAR,
  "row" INTEGER,
  source_column VARCHAR,
  understood VARCHAR
)
