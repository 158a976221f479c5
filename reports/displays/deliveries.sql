-- deliveries
-- Grain:   center that ever sent something.
-- Reads:   quality.delivery, quality.load, quality.ledger, quality.finding.
-- Feeds:   the display DELIVERIES.
-- What stands of each center, and what became of the newest delivery that was tried.
with line as (
    select
        * replace (center_id::varchar as center_id),
        -- What could not be taken from the inbox at all has no id and no day of its own.
        delivery_id <> '' and coalesce(reason, '') not in ('NAME', 'EMPTY', 'NO_SPEC') as is_taken
    from quality.delivery
),
in_force as (
    select center_id, max(received_on) as force_on, count(*) as n_force, max(mode) as mode
    from line
    where is_current
    group by center_id
),
moved as (
    select
        d.center_id,
        coalesce(sum(l.n_rows) filter (l.step = 'load' and l.outcome = 'out'), 0)::bigint as n_loaded,
        coalesce(sum(l.n_rows) filter (l.outcome = 'quarantined'), 0)::bigint as n_held_back
    from line as d
    join quality.ledger as l using (delivery_key)
    where d.is_current
    group by d.center_id
),
found as (
    select
        d.center_id,
        count(*) filter (f.severity = 'error') as n_errors,
        count(*) filter (f.severity = 'warning') as n_warnings
    from line as d
    join quality.finding as f using (delivery_key)
    where d.is_current
    group by d.center_id
),
-- A failure counts while nothing newer is known of the same delivery. One of a load that was never
-- published says nothing about a delivery that stands; what was not taken is said anew by each load.
tried as (
    select d.*
    from line as d
    join quality.load as l using (load_id)
    where case
        when not d.is_taken then d.load_id = (select max(load_id) from quality.load)
        else l.outcome = 'published' or not exists (
            from line as o
            where o.center_id = d.center_id and o.delivery_id = d.delivery_id and o.outcome = 'loaded'
        )
    end
),
last_try as (
    select *
    from tried
    qualify row_number() over (
        partition by center_id, is_taken, case when is_taken then delivery_id end
        order by load_id desc, delivery_key desc
    ) = 1
),
-- An append center lacks rows if any of its deliveries failed, a snapshot center if the newest did.
newest as (
    select t.center_id, t.outcome, t.reason, case when t.is_taken then t.received_on end as tried_on
    from last_try as t
    left join in_force as f using (center_id)
    qualify row_number() over (
        partition by t.center_id
        order by
            t.is_taken,
            coalesce(f.mode, '') = 'append' and t.outcome <> 'loaded' desc,
            t.received_on desc,
            t.sequence desc,
            t.load_id desc
    ) = 1
)
select
    center_id,
    f.force_on,
    coalesce(f.n_force, 0)::bigint as n_force,
    case when f.n_force > 0 then coalesce(m.n_loaded, 0) end as n_loaded,
    case when f.n_force > 0 then coalesce(m.n_held_back, 0) end as n_held_back,
    case when f.n_force > 0 then coalesce(q.n_errors, 0) end as n_errors,
    case when f.n_force > 0 then coalesce(q.n_warnings, 0) end as n_warnings,
    n.outcome,
    n.reason,
    n.tried_on
from (select distinct center_id from line) as c
left join in_force as f using (center_id)
left join moved as m using (center_id)
left join found as q using (center_id)
left join newest as n using (center_id)
order by center_id
