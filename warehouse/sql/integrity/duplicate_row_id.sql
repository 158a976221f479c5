-- integrity.duplicate_row_id
-- Grain:   one row per bad case: a row_id that stands more than once in core.
-- Reads:   meta.row_address.
-- Feeds:   the publishing: any row refuses it.
-- Sorted, a third of the work of a GROUP BY that finds no two alike.
SELECT DISTINCT row_id
FROM (SELECT row_id, lag(row_id) OVER (ORDER BY row_id) AS before FROM meta.row_address)
WHERE before = row_id
