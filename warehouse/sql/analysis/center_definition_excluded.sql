-- temp.center_definition_excluded
-- Grain:   one row per center whose patients study.yaml leaves out for the center's definition of a variable.
-- Reads:   temp.declared_definition, temp.definition_rule (warehouse/definitions.py).
-- Feeds:   temp.candidate.
create or replace temp table center_definition_excluded as
select distinct declared_definition.center_id
from declared_definition
inner join definition_rule using (variable, status)
where definition_rule.use = 'exclude'
