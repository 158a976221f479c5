-- meta.lineage
-- Grain:   one row per source cell of a row of core.
-- Reads:   meta.row_address, meta.address, meta.column_map, meta.source.
-- Feeds:   analysts.
-- The wanted row is chosen last: chosen inside a part of the union, DuckDB 1.5 loses the condition where
-- the macro stands beside a table (`FROM core.relapse r, meta.lineage(r.row_id)`), and gives other rows too.
CREATE MACRO meta.lineage(wanted_row_id, wanted_column := NULL) AS TABLE
WITH place AS (
  SELECT row_id, map_id, "table", 1::TINYINT AS slot, source_id, source_row
  FROM meta.row_address
  UNION ALL
  SELECT r.row_id, r.map_id, r."table", a.slot, a.source_id, a.source_row
  FROM meta.row_address r
  JOIN meta.address a ON a.row_id = r.row_id
)
SELECT
  p.row_id,
  p."table",
  m."column",
  s.center_id,
  s.delivery_id,
  s.file,
  s.sheet,
  p.source_row AS "row",
  m.source_column,
  m.rule
FROM place p
JOIN meta.column_map m ON m.map_id = p.map_id AND m."table" = p."table" AND m.slot = p.slot
JOIN meta.source s ON s.source_id = p.source_id
WHERE p.row_id = wanted_row_id AND (wanted_column IS NULL OR m."column" = wanted_column)
ORDER BY m."column", m.slot
