-- quality.delivery_change
-- Grain:   one row per delivery, level, kind of change, table and column: how many there are.
-- Reads:   the rows, kept and held, of each delivery and of the one before it.
-- Feeds:   scorecards.
CREATE TABLE quality.delivery_change (
  center_id VARCHAR NOT NULL,
  load_id INTEGER NOT NULL,
  delivery_key INTEGER NOT NULL,
  "table" VARCHAR,
  "column" VARCHAR,
  level VARCHAR NOT NULL,
  change VARCHAR NOT NULL,
  asked BOOLEAN NOT NULL,
  n BIGINT NOT NULL
)
