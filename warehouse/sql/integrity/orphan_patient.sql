-- integrity.orphan_patient
-- Grain:   one row per bad case: a row of a core table whose patient is not in core.subject.
-- Reads:   core.${table}, core.subject; run for every table.
-- Feeds:   the publishing: any row refuses it.
SELECT t.row_id
FROM core.${table} t
ANTI JOIN core.subject s USING (usubjid)
