-- meta.source
-- Grain:   one row per delivery and file or sheet read.
-- Reads:   source.parquet of every staged delivery.
-- Feeds:   meta.lineage.
CREATE TABLE meta.source (
  source_id INTEGER NOT NULL,
  delivery_key INTEGER NOT NULL,
  center_id VARCHAR NOT NULL,
  delivery_id VARCHAR NOT NULL,
  name VARCHAR,
  file VARCHAR,
  sheet VARCHAR,
  sha256 VARCHAR,
  kind VARCHAR,
  encoding VARCHAR,
  delimiter VARCHAR,
  "decimal" VARCHAR,
  n_rows BIGINT
)
