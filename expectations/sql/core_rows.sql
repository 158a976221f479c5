-- core_rows
-- Grain: center and canonical table.
-- Reads: core.{table}, quality.ledger, quality.delivery. Feeds: AUD-01.
-- The rows that stand in core against the rows that the ledger says were loaded.
with expected as (
    select d.center_id, sum(l.n_rows) as n_ledger
    from quality.ledger as l
    join quality.delivery as d using (delivery_id)
    where d.is_current and l.step = 'check' and l.outcome = 'out' and l."table" = '{table}'
    group by d.center_id
),
found as (
    select center_id, count(*) as n_core from core.{table} group by center_id
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
order by all;
