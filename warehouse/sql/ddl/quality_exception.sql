-- quality.exception
-- Grain:   one row per query whose value was confirmed to be correct.
-- Reads:   the log of queries in the vault; who it was and their words stay there.
-- Feeds:   report.
CREATE TABLE quality.exception (
  query_id VARCHAR NOT NULL,
  center_id VARCHAR NOT NULL,
  usubjid VARCHAR,
  rule_id VARCHAR NOT NULL,
  "table" VARCHAR,
  instance VARCHAR,
  field VARCHAR,
  confirmed_by VARCHAR NOT NULL,
  confirmed_at TIMESTAMP NOT NULL,
  holds BOOLEAN NOT NULL,
  ended_at TIMESTAMP,
  row_held BOOLEAN NOT NULL
)
