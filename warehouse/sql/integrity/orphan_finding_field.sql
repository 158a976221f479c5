-- integrity.orphan_finding_field
-- Grain:   one row per bad case: a field of a finding that does not exist.
-- Reads:   quality.finding_field, quality.finding.
-- Feeds:   the publishing: any row refuses it.
SELECT f.delivery_key, f.finding_id
FROM quality.finding_field f
ANTI JOIN quality.finding USING (delivery_key, finding_id)
