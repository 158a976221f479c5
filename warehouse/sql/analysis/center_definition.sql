-- analysis.center_definition
-- Grain:   one row per center with a delivery in force and canonical variable: how far the center's variable
--          is the canonical one, and what the analysis makes of it.
-- Reads:   temp.declared_definition, temp.definition_rule, core.subject, analysis.adsl.
-- Feeds:   display DEFINITIONS.
create or replace table analysis.center_definition as
with counted as (
    select subject.center_id::varchar as center_id, count(*) as n_patients, count(adsl.USUBJID) as n_cohort
    from core.subject as subject
    left join analysis.adsl as adsl on subject.usubjid = adsl.USUBJID
    group by subject.center_id
)
select
    declared_definition.center_id as SITEID,
    declared_definition.variable,
    declared_definition.label,
    declared_definition.status,
    declared_definition.basis,
    declared_definition.note,
    coalesce(upper(definition_rule.use), 'NONE') as effect,
    coalesce(counted.n_patients, 0) as n_patients,
    coalesce(counted.n_cohort, 0) as n_cohort
from declared_definition
left join definition_rule using (variable, status)
left join counted using (center_id)
order by SITEID, declared_definition."table", declared_definition.position
