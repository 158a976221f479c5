-- endpoint_times
-- Grain:   parameter of adtte.
-- Reads:   analysis.adtte.
-- Feeds:   AUD-17.
-- Rule SUR-07.
-- Times without a start or an end, or that are not the days from one to the other, both counted.
select
    t.PARAMCD as paramcd,
    count(*)::bigint as n_rows,
    count(*) filter (where t.STARTDT is null or t.ADT is null)::bigint as n_undated,
    count(*) filter (where t.AVAL is distinct from t.ADT - t.STARTDT + 1)::bigint as n_other_time,
    count(*) filter (where t.AVAL <= 0 or t.AVALM < 0)::bigint as n_backwards,
    n_undated + n_other_time + n_backwards as n_bad,
    n_bad > 0 as bad
from analysis.adtte as t
group by t.PARAMCD
order by all
