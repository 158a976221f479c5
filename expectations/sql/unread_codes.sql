-- unread_codes
-- Grain:   center and coded column with codes that could not be read, or that say unknown.
-- Reads:   temp.audit_now, temp.audit_before.
-- Feeds:   AUD-26.
-- Share of the rows sent whose code, response or regimen could not be read; and the share of cells that say
-- unknown, against what was published before.
with side as (
    select 'now' as side, * from temp.audit_now
    union all
    select 'before', * from temp.audit_before
),
sent as (
    select side, center_id, name as table_name, n from side where figure = 'sent'
),
counted as (
    select side, center_id, name,
        coalesce(max(n) filter (figure = 'unread'), 0) as n_unread,
        coalesce(max(n) filter (figure = 'unknown'), 0) as n_unknown,
        max(n) filter (figure = 'cells') as n_cells
    from side where figure in ('unread', 'unknown', 'cells') group by all
),
shared as (
    select c.*, c.n_unread / s.n as unread, c.n_unknown / c.n_cells as "unknown", s.n as n_sent
    from counted as c
    join sent as s on s.side = c.side and s.center_id = c.center_id and s.table_name = split_part(c.name, '.', 1)
)
select
    n.center_id,
    n.name as column_name,
    n.n_sent,
    n.n_unread,
    round(n.unread, 4) as share_unread,
    n.n_unknown,
    round(n."unknown", 4) as share_unknown,
    round(b."unknown", 4) as share_unknown_before,
    (n.n_unread >= {few} and n.unread > {unread})::int as n_bad_unread,
    coalesce((
        b.n_cells > 0 and n."unknown" - coalesce(b."unknown", 0) > {rise}
        and n.n_unknown - coalesce(b."unknown", 0) * n.n_cells >= {few}
    )::int, 0) as n_bad_unknown,
    n_bad_unread + n_bad_unknown as n_bad,
    n_bad > 0 as bad
from shared as n
left join shared as b on b.side = 'before' and b.center_id = n.center_id and b.name = n.name
where n.side = 'now' and (n.n_unread > 0 or n.n_unknown > 0)
order by all
