-- queries
-- Grain:   center.
-- Reads:   quality.query, quality.delivery.
-- Feeds:   the display QUERIES.
-- Queries of each center by state; a center that was never asked has none.
with center as (
    select distinct center_id::varchar as center_id from quality.delivery
    union
    select distinct center_id::varchar from quality.query
)
select
    c.center_id,
    count(q.query_id) filter (q.state = 'open') as n_open,
    count(q.query_id) filter (q.state = 'open' and q.severity = 'error') as n_open_error,
    count(q.query_id) filter (q.state = 'answered') as n_answered,
    count(q.query_id) filter (q.state = 'candidate') as n_candidate,
    count(q.query_id) filter (q.state = 'resolved') as n_resolved,
    count(q.query_id) filter (q.state = 'closed') as n_closed,
    count(q.query_id) filter (q.state = 'cancelled') as n_cancelled
from center as c
left join quality.query as q on q.center_id = c.center_id
group by c.center_id
order by c.center_id
