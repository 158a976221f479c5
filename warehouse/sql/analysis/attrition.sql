-- analysis.attrition
-- Grain:   one row per center and step of the way from the deliveries to the cohort: `reason` is null on
--          the two totals (step 0: patients in the deliveries, last step: patients in the cohort).
-- Reads:   temp.candidate, temp.left_out, temp.attrition_reason.
-- Feeds:   the report's flow of patients.
create or replace table analysis.attrition as
with delivered as (
    select center_id::varchar as center_id, usubjid::varchar as usubjid, reason
    from candidate
    union all
    select center_id, usubjid, reason
    from left_out
),
center as (
    select center_id, count(*) as n_all, count(*) filter (where reason is null) as n_in
    from delivered
    group by center_id
)
select center_id, 0 as step, null::varchar as reason, 'Patients in the deliveries' as label, n_all as n_patients
from center
union all
select
    center.center_id,
    attrition_reason.step,
    attrition_reason.reason,
    attrition_reason.label,
    count(delivered.usubjid)
from center
cross join attrition_reason
left join delivered
    on center.center_id = delivered.center_id and attrition_reason.reason = delivered.reason
group by all
union all
select center_id, (select max(step) + 1 from attrition_reason), null, 'Patients in the cohort', n_in
from center
order by center_id, step
