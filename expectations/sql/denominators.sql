-- denominators
-- Grain:   one row.
-- Reads:   analysis.adsl, analysis.attrition.
-- Feeds:   AUD-20.
-- Rule SUR-10.
-- The cohort against its groups, its centers and the end of the way to it, and responders against the
-- best response: whoever has one is in the denominator of the response rate.
with cohort as (
    select
        count(*) as n_cohort,
        count(*) filter (where GRP4 in ('TALQ', 'TEC', 'IPC', 'OTHER')) as n_in_groups,
        count(*) filter (
            where GRP4N is distinct from
                case GRP4 when 'TALQ' then 1 when 'TEC' then 2 when 'IPC' then 3 when 'OTHER' then 4 end
        ) as n_misnumbered,
        count(*) filter (
            where RESPFL is distinct from
                case when BESTRESP in ('CR', 'VGPR', 'PR') then 'Y' when BESTRESP is not null then 'N' end
        ) as n_misjudged
    from analysis.adsl
),
way as (
    select coalesce(sum(n_patients), 0) as n_at_end
    from analysis.attrition
    where step = (select max(step) from analysis.attrition)
)
select
    n_cohort::bigint as n_cohort,
    n_in_groups::bigint as n_in_groups,
    n_at_end::bigint as n_at_end,
    (
        abs(n_cohort - n_in_groups) + abs(n_cohort - n_at_end) + n_misnumbered + n_misjudged
    )::bigint as n_bad,
    n_bad > 0 as bad
from cohort
cross join way
