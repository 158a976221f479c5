-- quality.ledger_balance
-- Grain:   one row per place where rows are lost or doubled; empty in every published file.
-- Reads:   quality.ledger, quality.delivery, meta.source.
-- Feeds:   the publishing: a row here refuses it.
CREATE VIEW quality.ledger_balance AS
WITH step AS (
  SELECT
    delivery_key,
    step,
    source_id,
    "table",
    coalesce(sum(n_rows) FILTER (outcome = 'in'), 0)::BIGINT AS n_in,
    coalesce(sum(n_rows) FILTER (outcome = 'out'), 0)::BIGINT AS n_out,
    coalesce(sum(n_rows) FILTER (outcome IN ('quarantined', 'excluded')), 0)::BIGINT AS n_kept_back
  FROM quality.ledger
  GROUP BY ALL
),
between_steps AS (
  SELECT coalesce(a.delivery_key, b.delivery_key) AS delivery_key,
    coalesce(a.step, '-') || ' to ' || coalesce(b.step, '-') AS step,
    coalesce(a.source_id, b.source_id) AS source_id,
    coalesce(a."table", b."table") AS "table",
    coalesce(a.n_out, 0) AS n_in,
    coalesce(b.n_in, 0) AS n_out,
    0 AS n_kept_back
  FROM (FROM step WHERE step = 'map') a
  FULL JOIN (FROM step WHERE step = 'check') b
    ON a.delivery_key = b.delivery_key AND a."table" = b."table"
    AND a.source_id IS NOT DISTINCT FROM b.source_id
  UNION ALL
  SELECT coalesce(a.delivery_key, b.delivery_key),
    'check to load',
    coalesce(a.source_id, b.source_id),
    coalesce(a."table", b."table"),
    coalesce(a.n_out, 0),
    coalesce(b.n_in, 0),
    0
  FROM (FROM step WHERE step = 'check') a
  FULL JOIN (FROM step WHERE step = 'load') b
    ON a.delivery_key = b.delivery_key AND a."table" = b."table"
    AND a.source_id IS NOT DISTINCT FROM b.source_id
  UNION ALL
  SELECT s.delivery_key, 'file to read', s.source_id, NULL, coalesce(s.n_rows, 0), coalesce(r.n_in, 0), 0
  FROM meta.source s
  LEFT JOIN (FROM step WHERE step = 'read') r USING (delivery_key, source_id)
)
SELECT d.center_id, d.delivery_id, d.load_id, b.step, b.source_id, b."table", b.n_in, b.n_out,
  b.n_kept_back, b.n_in - b.n_out - b.n_kept_back AS n_lost
FROM (FROM step UNION ALL FROM (SELECT delivery_key, step, source_id, "table", n_in, n_out, n_kept_back FROM between_steps)) b
JOIN quality.delivery d USING (delivery_key)
WHERE b.n_in <> b.n_out + b.n_kept_back
