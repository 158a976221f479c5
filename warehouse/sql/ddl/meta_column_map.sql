-- meta.column_map
-- Grain:   one row per mapping block and canonical column.
-- Reads:   column_map.parquet of every staged delivery.
-- Feeds:   meta.lineage.
CREATE TABLE meta.column_map (
  map_id INTEGER NOT NULL,
  delivery_key INTEGER NOT NULL,
  "table" VARCHAR NOT NULL,
  "column" VARCHAR NOT NULL,
  slot TINYINT NOT NULL,
  source_id INTEGER,
  source_column VARCHAR,
  rule VARCHAR
)
