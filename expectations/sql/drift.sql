-- drift
-- Grain:   center and distribution: age, sex, group, best response.
-- Reads:   temp.audit_now, temp.audit_before.
-- Feeds:   AUD-27.
-- The distance between the distribution of a center's cohort now and as published before: half the sum of the
-- differences of the shares, 0 to 1, the share of patients who would have to move. The bound grows for few patients by
-- what chance alone makes of two independent samples of these sizes, so that a small center gives no alarm.
with side as (
    select 'now' as side, center_id, name as variable, level, n from temp.audit_now where figure = 'level'
    union all
    select 'before', center_id, name, level, n from temp.audit_before where figure = 'level'
),
summed as (
    select center_id, variable, level,
        coalesce(max(n) filter (side = 'now'), 0) as n_now,
        coalesce(max(n) filter (side = 'before'), 0) as n_before
    from side group by all
),
share as (
    select *,
        sum(n_now) over whole as all_now,
        sum(n_before) over whole as all_before,
        count(*) over whole as n_levels
    from summed
    window whole as (partition by center_id, variable)
)
select
    center_id,
    variable,
    all_before::bigint as n_before,
    all_now::bigint as n_now,
    round(0.5 * sum(abs(share.n_now / all_now - share.n_before / all_before)), 4) as distance,
    round({distance} + 0.5 * sqrt((n_levels - 1) * (1 / all_before + 1 / all_now)), 4) as bound,
    round(distance / bound, 4) as ratio,
    ratio > 1 as bad
from share
where all_now >= {patients} and all_before >= {patients}
group by center_id, variable, all_before, all_now, n_levels
order by center_id, variable
