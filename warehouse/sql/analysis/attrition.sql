-- analysis.attrition
-- Grain:   one row per center and step of the way from the warehouse to the cohort: `reason` is null on
--          the two totals (step 0: patients in the warehouse, last step: patients in the cohort).
-- Reads:   temp.candidate, temp.attrition_reason.
-- Feeds:   the report's flow of patients.
create or replace table analysis.attrition as
with center as (
    select center_id, count(*) as n_all, count(*) filter (where reason is null) as n_in
    from candidate
    group by center_id
)
select center_id, 0 as step, null::varchar as reason, 'Patients in the warehouse' as label, n_all as n_patients
from center
union all
select
    center.center_id,
    attrition_reason.step,
    attrition_reason.reason,
    attrition_reason.label,
    count(candidate.usubjid)
from center
cross join attrition_reason
left join candidate
    on center.center_id = candidate.center_id and attrition_reason.reason = candidate.reason
group by all
union all
select center_id, (select max(step) + 1 from attrition_reason), null, 'Patients in the cohort', n_in
from center
order by center_id, step
