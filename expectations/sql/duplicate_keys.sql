-- duplicate_keys
-- Grain:   canonical table with a key.
-- Reads:   core.{table}.
-- Feeds:   AUD-04.
-- Rows that share their key with another; rows with an empty part of the key are not compared.
select '{table}' as table_name, coalesce(sum(n - 1), 0)::bigint as n_bad, n_bad > 0 as bad
from (
    select count(*) as n
    from core.{table}
    where row({key}) is not null
    group by {key}
    having count(*) > 1
)
