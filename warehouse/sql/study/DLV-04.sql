-- study.DLV-04
-- Grain:   one row per date of a CAR-T infusion that a delivery tells otherwise than the one before it, and nobody asked;
--          per patient where the record is gone.
-- Reads:   temp.unasked_change (warehouse/delivery_diff).
-- Feeds:   quality.finding.
SELECT
  usubjid,
  "table",
  row_id,
  true AS fails,
  [{'table': "table", 'row_id': row_id, 'column': "column"}] AS fields,
  message
FROM temp.unasked_change
WHERE rule_id = 'DLV-04'
ORDER BY usubjid, row_id
