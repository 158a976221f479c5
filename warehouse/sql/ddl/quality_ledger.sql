-- quality.ledger
-- Grain:   one row per delivery, step, source, table, outcome and reason.
-- Reads:   ledger.parquet of every staged delivery; the step load is counted in core.
-- Feeds:   quality.ledger_balance.
CREATE TABLE quality.ledger (
  delivery_key INTEGER NOT NULL,
  step VARCHAR NOT NULL,
  source_id INTEGER,
  "table" VARCHAR,
  outcome VARCHAR NOT NULL,
  reason VARCHAR,
  n_rows BIGINT NOT NULL
)
