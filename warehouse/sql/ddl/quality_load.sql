-- quality.load
-- Grain:   one row per load of the study, this one included.
-- Reads:   the load log.
-- Feeds:   study history.
CREATE TABLE quality.load (
  load_id INTEGER NOT NULL,
  started_at TIMESTAMP NOT NULL,
  outcome VARCHAR NOT NULL,
  n_loaded INTEGER NOT NULL,
  n_failed INTEGER NOT NULL,
  n_held INTEGER NOT NULL,
  study_hash VARCHAR NOT NULL
)
