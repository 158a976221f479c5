-- core_rows
-- Grain:   center and canonical table.
-- Reads:   core.{table}, quality.ledger, quality.delivery.
-- Feeds:   AUD-01.
-- The rows that stand in core, against what passed the checks less what later deliveries replaced.
with expected as (
    select
        d.center_id::varchar as center_id,
        coalesce(sum(l.n_rows) filter (l.step = 'check' and l.outcome = 'out'), 0)
        - coalesce(sum(l.n_rows) filter (l.step = 'load' and l.outcome = 'excluded'), 0) as n_ledger
    from quality.ledger as l
    join quality.delivery as d on d.delivery_key = l.delivery_key
    where l."table" = '{table}'
    group by all
),
found as (
    select center_id::varchar as center_id, count(*) as n_core from core.{table} group by all
)
select
    '{table}' as table_name,
    coalesce(e.center_id, f.center_id) as center_id,
    coalesce(e.n_ledger, 0)::bigint as n_ledger,
    coalesce(f.n_core, 0)::bigint as n_core,
    abs(coalesce(e.n_ledger, 0) - coalesce(f.n_core, 0))::bigint as n_bad,
    n_bad > 0 as bad
from expected as e
full join found as f on e.center_id = f.center_id
order by all
