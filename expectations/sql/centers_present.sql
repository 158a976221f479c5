-- centers_present
-- Grain: center with a delivery in force.
-- Reads: quality.delivery, core.subject, analysis.adsl. Feeds: AUD-13.
-- Patients of each center in core and in the cohort.
select
    d.center_id,
    count(distinct s.usubjid)::bigint as n_patients,
    count(distinct a.usubjid)::bigint as n_cohort,
    n_patients = 0 or n_cohort = 0 as bad
from (select distinct center_id from quality.delivery where is_current) as d
left join core.subject as s on s.center_id = d.center_id
left join analysis.adsl as a on a.SITEID = d.center_id
group by d.center_id
order by d.center_id;
