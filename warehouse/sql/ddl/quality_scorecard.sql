-- quality.scorecard
-- Grain:   one row per center, load, figure and level.
-- Reads:   quality.*, core.*: see sql/scorecard.
-- Feeds:   the pages of the scorecard.
CREATE TABLE quality.scorecard (
  center_id VARCHAR NOT NULL,
  "month" DATE NOT NULL,
  load_id INTEGER NOT NULL,
  is_last_of_month BOOLEAN NOT NULL,
  as_of TIMESTAMP NOT NULL,
  figure VARCHAR NOT NULL,
  "level" VARCHAR,
  numerator BIGINT,
  denominator BIGINT,
  "value" DOUBLE,
  better VARCHAR,
  "rank" INTEGER,
  n_ranked INTEGER,
  before_load_id INTEGER,
  value_before DOUBLE,
  rank_before INTEGER
)
