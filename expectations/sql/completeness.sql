-- completeness
-- Grain:   center and key variable.
-- Reads:   analysis.adsl, core.infusion, core.follow_up, core.risk.
-- Feeds:   AUD-12.
-- Share of subjects of the cohort of whom a key variable is known.
select
    center_id,
    variable,
    n_subjects,
    round(n_known / n_subjects, 4) as share,
    share < 0.8 as bad
from (
    select
        SITEID as center_id,
        count(*)::bigint as n_subjects,
        count(AGE)::double as AGE,
        count(SEX)::double as SEX,
        count(NPRLINE)::double as NPRLINE,
        count(RISS)::double as RISS,
        count(MYCARE)::double as MYCARE,
        count(TRIPLFL)::double as TRIPLFL,
        count(PENTAFL)::double as PENTAFL,
        count(PBCMAFL)::double as PBCMAFL,
        count(EMDRELFL)::double as EMDRELFL,
        count(BESTRESP)::double as BESTRESP
    from analysis.adsl
    group by SITEID
)
unpivot (
    n_known for variable in (
        AGE, SEX, NPRLINE, RISS, MYCARE, TRIPLFL, PENTAFL, PBCMAFL, EMDRELFL, BESTRESP
    )
)
order by center_id, variable
