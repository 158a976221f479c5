-- patients_changed
-- Grain:   center of which this load holds something new.
-- Reads:   temp.audit_changed.
-- Feeds:   AUD-34.
-- Patients who were published before and of whom something that does not change is another now: sex, birth year,
-- date of diagnosis, date of an infusion, product. Some are corrections. Told where they are many; stops where
-- most patients are changed in two or more of these: then rows stand beside the ids of other patients. A state that
-- was never published cannot stay in force: the delivery after it, which may be its correction, is told alone.
with center as (
    select
        center_id,
        max(n) filter (figure = 'both') as n_both,
        coalesce(max(n) filter (figure = 'changed'), 0) as n_changed,
        coalesce(max(n) filter (figure = 'twice'), 0) as n_twice,
        coalesce(max(n) filter (figure = 'published'), 0) = 1 as was_published,
        coalesce(string_agg(n || ' in ' || name, ', ' order by n desc, name) filter (figure = 'column'), '') as columns
    from temp.audit_changed
    group by center_id
)
select
    center_id,
    n_both,
    n_changed,
    n_twice,
    columns,
    'with ' || n_changed || ' of ' || n_both || ' patients changed: ' || columns as told,
    (n_changed >= {patients} and n_changed >= {share} * n_both)::int as n_many,
    (was_published and n_twice >= {most_patients} and n_twice >= {most} * n_both)::int as n_others,
    n_others > 0 as stops,
    n_many > 0 or n_others > 0 as bad
from center
where n_both > 0
order by center_id
