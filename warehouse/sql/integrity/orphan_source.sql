-- integrity.orphan_source
-- Grain:   one row per bad case: a source or mapping block of a core table that meta does not hold.
-- Reads:   core.${table}, meta.source, meta.column_map; run for every table.
-- Feeds:   the publishing: any row refuses it.
WITH used AS (
  SELECT DISTINCT source_id, map_id, center_id FROM core.${table}
)
SELECT u.source_id, u.map_id
FROM used u
LEFT JOIN meta.source s ON s.source_id = u.source_id AND s.center_id = u.center_id::VARCHAR
LEFT JOIN (SELECT DISTINCT map_id FROM meta.column_map) m ON m.map_id = u.map_id
WHERE s.source_id IS NULL OR m.map_id IS NULL
