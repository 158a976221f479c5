-- meta.center_definition
-- Grain:   one row per center with a delivery in force and column of a canonical table.
-- Reads:   summary.json of the deliveries in force, meta.column_map.
-- Feeds:   analysis.center_definition.
CREATE TABLE meta.center_definition (
  center_id VARCHAR NOT NULL,
  "table" VARCHAR NOT NULL,
  "column" VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  label VARCHAR,
  status VARCHAR NOT NULL,
  basis VARCHAR NOT NULL,
  note VARCHAR
)
