-- meta.run
-- Grain:   one row: the load that built this file.
-- Reads:   study.yaml, the load log.
-- Feeds:   connect, report.
CREATE TABLE meta.run (
  study_id VARCHAR NOT NULL,
  title VARCHAR NOT NULL,
  data_cut DATE NOT NULL,
  study_hash VARCHAR NOT NULL,
  load_id INTEGER NOT NULL,
  started_at TIMESTAMP NOT NULL,
  versions VARCHAR NOT NULL
)
