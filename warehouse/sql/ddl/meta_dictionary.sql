-- meta.dictionary
-- Grain:   one row per column of every table and view of this file.
-- Reads:   the catalog, labels.csv, comments of the tables.
-- Feeds:   everybody who writes a query.
CREATE TABLE meta.dictionary (
  "schema" VARCHAR NOT NULL,
  "table" VARCHAR NOT NULL,
  "column" VARCHAR NOT NULL,
  position INTEGER NOT NULL,
  label VARCHAR,
  type VARCHAR NOT NULL,
  unit VARCHAR,
  codelist VARCHAR,
  source VARCHAR
)
