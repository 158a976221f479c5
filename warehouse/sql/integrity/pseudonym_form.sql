-- integrity.pseudonym_form
-- Grain:   one row per bad case: a USUBJID that is not of this study and the row's center.
-- Reads:   core.subject, meta.run.
-- Feeds:   the publishing: any row refuses it.
SELECT s.row_id
FROM core.subject s, meta.run r
WHERE NOT starts_with(s.usubjid, r.study_id || '-' || s.center_id || '-')
