-- estimate_counts
-- Grain:   count of a display and population.
-- Reads:   analysis.estimate, analysis.estimate_subject, analysis.adsl, analysis.adtte.
-- Feeds:   AUD-15.
-- Counts that the report prints, against the same count made here from the analysis tables. Which displays
-- there are is the plan's choice: compared is each table, response or survival display that is about all patients
-- and by one column of adsl as it stands, or by none (`method` of its row DISPLAY); and always the cohort.
with shown as (
    select display, level as kind, endpoint, regexp_extract(method, '^by (\w+)$', 1) as by_column
    from analysis.estimate
    where
        "row" = 'DISPLAY'
        and level in ('baseline', 'response', 'survival')
        and regexp_matches(method, '^(by \w+|all patients)$')
),
-- Patient, column of adsl and its value as text.
held as (
    unpivot (select columns(*)::varchar from analysis.adsl)
    on columns(* exclude (USUBJID)) into name by_column value population
),
-- Columns with values that the plan does not name: these make no group, and the methods say so.
undeclared as (
    select method as by_column
    from analysis.estimate
    where display = 'METHODS' and starts_with("row", 'undeclared_') and method is not null
),
sizes as (
    select by_column, population, count(*) as n from held group by all
    union all
    select '', 'ALL', count(*) from analysis.adsl
),
times as (
    select h.by_column, h.population, t.PARAMCD, count(*) as n, count(*) filter (where t.CNSR = 0) as n_events
    from analysis.adtte as t
    inner join held as h on t.USUBJID = h.USUBJID
    where t.ANALYSIS = 'PRIMARY'
    group by all
    union all
    select '', 'ALL', PARAMCD, count(*), count(*) filter (where CNSR = 0)
    from analysis.adtte
    where ANALYSIS = 'PRIMARY'
    group by all
),
own as (
    select 'COHORT' as display, '' as by_column, 'patients' as what, 'ALL' as population, count(*) as n
    from analysis.adsl
    union all
    select w.display, s.by_column, 'patients', s.population, s.n
    from shown as w
    inner join sizes as s on w.kind = 'baseline' and s.by_column in (w.by_column, '')
    union all
    select w.display, s.by_column, 'best response', s.population, s.n
    from shown as w
    inner join sizes as s on w.kind = 'response' and s.by_column in (w.by_column, '')
    union all
    select w.display, t.by_column, 'at risk at 0', t.population, t.n
    from shown as w
    inner join times as t
        on w.kind = 'survival' and w.endpoint = t.PARAMCD and w.by_column = t.by_column
    union all
    select w.display, t.by_column, 'events', t.population, t.n_events
    from shown as w
    inner join times as t
        on w.kind = 'survival' and w.endpoint = t.PARAMCD and w.by_column = t.by_column
    where t.n_events > 0
),
printed as (
    select display, 'patients' as what, population, sum(value) as n
    from analysis.estimate
    where "row" = 'N' and statistic = 'n' and level is null
    group by all
    union all
    select display, 'best response', population, sum(value)
    from analysis.estimate
    where "row" = 'BESTRESP' and statistic = 'n' and level in ('CR', 'VGPR', 'PR', 'LTPR', 'missing')
    group by all
    union all
    select display, 'at risk at 0', population, sum(value)
    from analysis.estimate
    where "row" = 'at_risk' and time_months = 0
    group by all
    union all
    select display, 'events', population, count(*)
    from analysis.estimate_subject
    where "row" = 'curve' and level = 'event'
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
where p.n is not null or o.by_column not in (from undeclared)
order by all
