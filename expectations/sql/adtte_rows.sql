-- adtte_rows
-- Grain:   parameter of adtte.
-- Reads:   analysis.adtte, analysis.adsl.
-- Feeds:   AUD-10.
-- Subjects twice in a parameter, not in adsl, or with an impossible time or censoring.
select
    t.PARAMCD as paramcd,
    count(*)::bigint as n_rows,
    (count(*) - count(distinct t.usubjid))::bigint as n_twice,
    count(*) filter (where a.usubjid is null)::bigint as n_unknown,
    count(*) filter (where t.AVAL is null or t.AVAL < 1)::bigint as n_impossible_time,
    count(*) filter (where t.CNSR is null or t.CNSR not between 0 and 4)::bigint as n_impossible_censoring,
    n_twice + n_unknown + n_impossible_time + n_impossible_censoring as n_bad,
    n_bad > 0 as bad
from analysis.adtte as t
left join analysis.adsl as a using (usubjid)
group by t.PARAMCD
order by all
