-- estimate_subjects
-- Grain:   display and group.
-- Reads:   analysis.estimate_subject, analysis.adsl.
-- Feeds:   AUD-14.
-- Patients behind the estimates that are not in adsl.
select
    e.display,
    count(*) filter (where a.usubjid is null)::bigint as n_bad,
    n_bad > 0 as bad
from analysis.estimate_subject as e
left join analysis.adsl as a using (usubjid)
group by e.display
order by e.display
