-- row_ids
-- Grain:   canonical table.
-- Reads:   core.{table}.
-- Feeds:   AUD-03.
-- Rows whose source (delivery's file, row and mapping block) gave them twice.
select '{table}' as table_name, coalesce(sum(n - 1), 0)::bigint as n_bad, n_bad > 0 as bad
from (select count(*) as n from core.{table} group by center_id, source_id, row_id having count(*) > 1)
