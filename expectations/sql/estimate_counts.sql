-- estimate_counts
-- Grain:   count of a display and population.
-- Reads:   analysis.estimate, analysis.estimate_subject, analysis.adsl, analysis.adtte.
-- Feeds:   AUD-15.
-- Counts that the report prints, against the same count made here from the analysis tables.
with own as (
    select 'T1' as display, 'patients' as what, coalesce(GRP4, 'ALL') as population, count(*) as n
    from analysis.adsl
    group by grouping sets ((GRP4), ())
    union all
    select 'F1A', 'best response', GRP4, count(*) from analysis.adsl group by GRP4
    union all
    select 'F1C', 'at risk at 0', GRP4, count(*) from analysis.adtte where PARAMCD = 'OS' group by GRP4
    union all
    select 'S1A', 'at risk at 0', 'ALL', count(*) from analysis.adtte where PARAMCD = 'OS'
    union all
    select 'F1C', 'deaths', GRP4, count(*)
    from analysis.adtte where PARAMCD = 'OS' and CNSR = 0 group by GRP4
    union all
    select 'S1A', 'deaths', 'ALL', count(*) from analysis.adtte where PARAMCD = 'OS' and CNSR = 0
),
printed as (
    select display, 'patients' as what, population, sum(value) as n
    from analysis.estimate
    where display = 'T1' and "row" = 'N' and statistic = 'n' and level is null
    group by all
    union all
    select display, 'best response', population, sum(value)
    from analysis.estimate
    where display = 'F1A' and "row" = 'BESTRESP' and statistic = 'n'
      and level in ('CR', 'VGPR', 'PR', 'LTPR', 'missing') and population <> 'ALL'
    group by all
    union all
    select display, 'at risk at 0', population, sum(value)
    from analysis.estimate
    where display in ('F1C', 'S1A') and "row" = 'at_risk' and time_months = 0
    group by all
    union all
    select display, 'deaths', population, count(*)
    from analysis.estimate_subject
    where display in ('F1C', 'S1A') and "row" = 'curve' and level = 'event'
    group by all
)
select
    o.display,
    o.what,
    o.population,
    o.n::bigint as n_analysis,
    p.n::bigint as n_printed,
    coalesce(abs(o.n - p.n), o.n)::bigint as n_bad,
    n_bad > 0 as bad
from own as o
left join printed as p
    on p.display = o.display and p.what = o.what and p.population = o.population
order by all
