-- deaths_before
-- Grain:   center of which this load holds something new.
-- Reads:   temp.audit_changed.
-- Feeds:   AUD-36.
-- Patients who were dead when they were published before, and of whom no row tells a death now: an export without a
-- column, or a spec that reads another one, makes them alive, and survival longer. A state that was never published
-- is told alone, as in patients_changed.
with center as (
    select
        center_id,
        coalesce(max(n) filter (figure = 'dead'), 0) as n_dead,
        coalesce(max(n) filter (figure = 'dead_gone'), 0) as n_gone,
        coalesce(max(n) filter (figure = 'published'), 0) = 1 as was_published
    from temp.audit_changed
    group by center_id
)
select
    center_id,
    n_dead,
    n_gone,
    'with ' || n_gone || ' of ' || n_dead || ' deaths no longer told' as told,
    (n_gone >= {deaths} and n_gone >= {share} * n_dead)::int as n_many,
    (was_published and n_gone >= {most_deaths} and n_gone >= {most} * n_dead)::int as n_most,
    n_most > 0 as stops,
    n_many > 0 or n_most > 0 as bad
from center
where n_dead > 0
order by center_id
