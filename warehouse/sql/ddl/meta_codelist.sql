-- meta.codelist
-- Grain:   one row per codelist and code.
-- Reads:   schemas/codelists.csv.
-- Feeds:   labels of coded columns.
CREATE TABLE meta.codelist (
  codelist VARCHAR NOT NULL,
  code VARCHAR NOT NULL,
  label VARCHAR NOT NULL,
  position INTEGER NOT NULL
)
