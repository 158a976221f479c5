-- group_sizes
-- Grain:   group of the first salvage, and the whole cohort.
-- Reads:   temp.audit_now, temp.audit_before.
-- Feeds:   AUD-29.
-- Patients of a group against what was published before, in proportion to the patients that the centers sent then and
-- now; over the centers that were published before, so that a new center is no news. Told where a group moved by
-- a lot; stops where less than half of it is left: settings, a spec or the program moved them, not the centers.
with now as (
    select * from temp.audit_now where center_id in (select center_id from temp.audit_before)
),
patients as (
    select
        (select sum(n) from temp.audit_before where figure = 'rows' and name = 'subject') as before,
        (select coalesce(sum(n), 0) from now where figure = 'rows' and name = 'subject') as now
),
sized as (
    select "group", sum(n) filter (side = 'before') as n_before, coalesce(sum(n) filter (side = 'now'), 0) as n_now
    from (
        select 'before' as side, unnest([level, 'ALL']) as "group", n from temp.audit_before where figure = 'level' and name = 'group'
        union all
        select 'now', unnest([level, 'ALL']), n from now where figure = 'level' and name = 'group'
    )
    group by "group"
)
select
    s."group",
    coalesce(s.n_before, 0)::bigint as n_before,
    round(coalesce(s.n_before, 0) * p.now / p.before, 1) as n_expected,
    s.n_now::bigint as n_now,
    (abs(s.n_now - n_expected) > greatest({patients}, {moved} * n_expected))::int as n_moved,
    coalesce((s.n_before >= {patients} and s.n_now < {left} * s.n_before * least(1, p.now / p.before))::int, 0) as n_lost,
    n_lost > 0 as stops,
    n_moved > 0 or n_lost > 0 as bad
from sized as s
cross join patients as p
where p.before > 0
order by s."group"
