-- rows_before
-- Grain:   center and canonical table that was published before.
-- Reads:   temp.audit_now, temp.audit_before.
-- Feeds:   AUD-23.
-- Rows of a center against those that were published before. Many fewer or more: told. Less than half of what came
-- is left of a table that endpoints rest on, though the center sent it: stops. It is then rather what was
-- made of the rows than what was sent; a delivery that lost its rows is held before it gets here.
with now as (
    select center_id, name as table_name, max(n) filter (figure = 'rows') as n_rows, max(n) filter (figure = 'sent') as n_sent
    from temp.audit_now where figure in ('rows', 'sent') group by all
),
before as (
    select center_id, name as table_name, max(n) filter (figure = 'rows') as n_rows, max(n) filter (figure = 'sent') as n_sent
    from temp.audit_before where figure in ('rows', 'sent') group by all
)
select
    b.center_id,
    b.table_name,
    b.n_rows as n_before,
    coalesce(n.n_rows, 0) as n_now,
    b.n_sent as n_sent_before,
    coalesce(n.n_sent, 0) as n_sent_now,
    (abs(n_now - n_before) > greatest({rows}, {moved} * n_before))::int as n_moved,
    coalesce((
        b.table_name in ('subject', 'infusion', 'relapse', 'treatment_line', 'response', 'follow_up')
        and n_before >= {rows}
        and n_now < {left} * n_before * least(1, n_sent_now / n_sent_before)
    )::int, 0) as n_lost,
    n_lost > 0 as stops,
    n_moved > 0 or n_lost > 0 as bad
from before as b
left join now as n using (center_id, table_name)
where b.n_rows > 0 and b.center_id in (select center_id from now)
order by b.center_id, b.table_name
