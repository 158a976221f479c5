-- unknown_codes
-- Grain:   coded column of a canonical table.
-- Reads:   core.{table}, meta.codelist.
-- Feeds:   AUD-05.
-- Cells that hold a code which is not in the column's codelist.
select
    '{table}' as table_name,
    '{column}' as column_name,
    count(*)::bigint as n_bad,
    n_bad > 0 as bad
from core.{table}
where {column} is not null
  and {column}::varchar not in (select code from meta.codelist where codelist = '{codelist}')
