-- meta.address
-- Grain:   one row per row of core and further source row that it was joined from.
-- Reads:   address.parquet of the current deliveries.
-- Feeds:   meta.lineage.
CREATE TABLE meta.address (
  row_id BIGINT NOT NULL,
  slot TINYINT NOT NULL,
  source_id INTEGER NOT NULL,
  source_row INTEGER NOT NULL
)
