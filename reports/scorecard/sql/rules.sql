-- rules
-- Grain:   rule.
-- Reads:   quality.rule.
-- Feeds:   titles and filters.
SELECT rule_id, title, sentence, severity, category, kahn FROM quality.rule ORDER BY category, rule_id
