-- patients_before
-- Grain:   center that was published before.
-- Reads:   temp.audit_now, temp.audit_before.
-- Feeds:   AUD-35.
-- Patients of a center against those that were published before. A delivery is compared with the one before it when
-- it is read (SHRINK); several that each lose a few, or patients who are held back, add up to what is told here.
with counted as (
    select 'now' as side, * from temp.audit_now where figure = 'rows'
    union all
    select 'before', * from temp.audit_before where figure = 'rows'
),
center as (
    select
        center_id,
        coalesce(max(n) filter (side = 'before' and name = 'subject'), 0) as n_before,
        coalesce(max(n) filter (side = 'now' and name = 'subject'), 0) as n_now
    from counted
    group by center_id
    having bool_or(side = 'now')
)
select
    center_id,
    n_before,
    n_now,
    'with ' || n_now || ' patients, before ' || n_before as told,
    (n_before - n_now >= {patients} and n_before - n_now > {share} * n_before)::int as n_bad,
    n_bad > 0 as bad
from center
where n_before > 0
order by center_id
