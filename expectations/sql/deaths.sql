-- deaths
-- Grain:   one row.
-- Reads:   analysis.adtte, analysis.adsl.
-- Feeds:   AUD-11.
-- Deaths of the cohort against events of overall survival. Who is not known to be dead is censored:
-- a patient whose follow-up is held back or was not sent is no reason to publish nothing.
select
    count(*) filter (where a.DTHFL = 'Y')::bigint as n_deaths,
    count(*) filter (where t.CNSR = 0)::bigint as n_events,
    count(*) filter (
        where
            coalesce(a.DTHFL = 'Y', false) is distinct from (t.CNSR = 0)
            -- A death after the data cut is censored at the cut.
            and not (t.CNSDTDSC is not distinct from 'Data cut' and coalesce(a.DTHDT > t.ADT, false))
            and t.usubjid is not null
    )::bigint as n_bad,
    n_bad > 0 as bad
from analysis.adsl as a
left join (select * from analysis.adtte where PARAMCD = 'OS') as t using (usubjid)
