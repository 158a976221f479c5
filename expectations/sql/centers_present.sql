-- centers_present
-- Grain:   center with a delivery in force.
-- Reads:   quality.delivery, core.subject, analysis.adsl.
-- Feeds:   AUD-13.
-- Patients of each center in core and in the cohort.
select
    d.center_id,
    coalesce(s.n, 0)::bigint as n_patients,
    coalesce(a.n, 0)::bigint as n_cohort,
    n_patients = 0 or n_cohort = 0 as bad
from (select distinct center_id::varchar as center_id from quality.delivery where is_current) as d
left join (
    select center_id::varchar as center_id, count(*) as n from core.subject group by all
) as s on s.center_id = d.center_id
left join (
    select SITEID::varchar as center_id, count(*) as n from analysis.adsl group by all
) as a on a.center_id = d.center_id
order by d.center_id
