-- quality.rule
-- Grain:   one row per rule.
-- Reads:   schemas/rules.
-- Feeds:   findings, report.
CREATE TABLE quality.rule (
  rule_id VARCHAR NOT NULL,
  category VARCHAR,
  title VARCHAR,
  sentence VARCHAR,
  severity VARCHAR,
  disposition VARCHAR,
  scope VARCHAR,
  kahn VARCHAR,
  engine VARCHAR,
  source VARCHAR
)
