-- deaths
-- Grain:   one row.
-- Reads:   analysis.adtte, analysis.adsl.
-- Feeds:   AUD-11.
-- Deaths of the cohort against events of overall survival.
select
    count(*) filter (where a.DTHFL = 'Y')::bigint as n_deaths,
    count(*) filter (where t.CNSR = 0)::bigint as n_events,
    count(*) filter (where (a.DTHFL = 'Y') is distinct from (t.CNSR = 0) and t.usubjid is not null)::bigint as n_bad,
    n_bad > 0 as bad
from analysis.adsl as a
left join (select * from analysis.adtte where PARAMCD = 'OS') as t using (usubjid)
