-- adsl_required
-- Grain:   variable of adsl.
-- Reads:   analysis.adsl.
-- Feeds:   AUD-09.
-- Subjects of the cohort without a variable that makes them one.
select variable, (n_all - n_filled)::bigint as n_bad, n_bad > 0 as bad
from (
    select
        count(*) as n_all,
        count(CARTDT) as CARTDT,
        count(RELDT) as RELDT,
        count(TRTSDT) as TRTSDT,
        count(GRP4) as GRP4,
        count(LSTALVDT) as LSTALVDT,
        count(SITEID) as SITEID
    from analysis.adsl
)
unpivot (n_filled for variable in (CARTDT, RELDT, TRTSDT, GRP4, LSTALVDT, SITEID))
order by variable
