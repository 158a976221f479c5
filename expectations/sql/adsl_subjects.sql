-- adsl_subjects
-- Grain:   one row.
-- Reads:   analysis.adsl, core.subject.
-- Feeds:   AUD-08.
-- Subjects that stand twice in adsl, or that core does not know.
select
    (count(*) - count(distinct a.usubjid))::bigint as n_twice,
    count(*) filter (where s.usubjid is null)::bigint as n_unknown,
    n_twice + n_unknown as n_bad,
    n_bad > 0 as bad
from analysis.adsl as a
left join (select distinct usubjid from core.subject) as s using (usubjid)
