-- integrity.duplicate_row_id
-- Grain:   one row per bad case: a row_id that stands more than once in core.
-- Reads:   meta.row_address.
-- Feeds:   the publishing: any row refuses it.
SELECT row_id
FROM meta.row_address
GROUP BY row_id
HAVING count(*) > 1
