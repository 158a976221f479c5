-- integrity.duplicate_key
-- Grain:   one row per bad case: a key that stands more than once in a core table.
-- Reads:   core.${table}; run for every table with a unique key.
-- Feeds:   the publishing: any row refuses it.
SELECT usubjid, ${key}
FROM core.${table}
WHERE ${key_is_full}
GROUP BY ALL
HAVING count(*) > 1
