-- completeness_before
-- Grain:   center and key variable.
-- Reads:   temp.audit_now, temp.audit_before.
-- Feeds:   AUD-24.
-- Patients of the cohort of whom a variable is known, against what was published before. Told where the share fell
-- by a lot and by more than a few patients.
with side as (
    select 'now' as side, * from temp.audit_now where figure = 'known'
    union all
    select 'before', * from temp.audit_before where figure = 'known'
),
cohort as (
    select
        center_id,
        max(n) filter (side = 'before') as n_before,
        max(n) filter (side = 'now') as n_now
    from side where name = 'cohort' group by center_id
),
variable as (
    select center_id, name as variable, max(n) filter (side = 'before') as n_known_before,
        coalesce(max(n) filter (side = 'now'), 0) as n_known
    from side where name <> 'cohort' group by all
)
select
    center_id,
    variable,
    n_before,
    n_now,
    round(n_known_before / n_before, 4) as share_before,
    round(n_known / n_now, 4) as share,
    (
        least(n_before, n_now) >= {patients}
        and n_known_before / n_before - n_known / n_now > {fall}
        and n_known_before / n_before * n_now - n_known >= {fewer}
    )::int as n_bad,
    n_bad > 0 as bad
from variable
join cohort using (center_id)
where n_known_before > 0 and n_before > 0 and n_now > 0
order by center_id, variable
