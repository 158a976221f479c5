-- integrity.unknown_rule
-- Grain:   one row per bad case: a finding of a rule that is not declared.
-- Reads:   quality.finding, quality.rule; only findings of deliveries in force: rules may be withdrawn.
-- Feeds:   the publishing: any row refuses it.
SELECT f.delivery_key, f.finding_id
FROM quality.finding f
JOIN quality.delivery d USING (delivery_key)
ANTI JOIN quality.rule r USING (rule_id)
WHERE d.is_current
