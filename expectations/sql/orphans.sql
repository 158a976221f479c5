-- orphans
-- Grain:   canonical table.
-- Reads:   core.{table}, core.subject.
-- Feeds:   AUD-02.
-- Rows of patients that have no row in subject.
select '{table}' as table_name, count(*)::bigint as n_bad, n_bad > 0 as bad
from core.{table} as t
anti join core.subject as s on t.usubjid = s.usubjid and t.center_id::varchar = s.center_id::varchar
