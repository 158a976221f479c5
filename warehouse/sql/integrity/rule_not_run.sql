-- integrity.rule_not_run
-- Grain:   one row per bad case: a rule without an outcome for a delivery of this load.
-- Reads:   quality.rule, quality.delivery, quality.check_run, meta.run.
-- Feeds:   the publishing: any row refuses it.
SELECT d.delivery_key, r.rule_id
FROM quality.delivery d
JOIN meta.run USING (load_id)
CROSS JOIN quality.rule r
ANTI JOIN quality.check_run c ON c.delivery_key = d.delivery_key AND c.rule_id = r.rule_id
WHERE d.outcome = 'loaded'
