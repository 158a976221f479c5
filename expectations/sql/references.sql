-- references
-- Grain:   reference from one table to another.
-- Reads:   core, analysis, quality, meta.
-- Feeds:   AUD-28.
-- Rows that point to nothing, or to another than they should: patients of analysis tables who are not in adsl, or in
-- adsl under another center or group; rows of core that come from a delivery that is not in force or of another
-- center; results and questions without their delivery or query.
with pointed (table_name, reference, n_rows, n_bad) as (
    select 'analysis.adsl', 'center of the subject', count(*),
        count(*) filter (s.center_id is distinct from a.SITEID::varchar)
    from analysis.adsl as a
    left join (select usubjid, any_value(center_id)::varchar as center_id from core.subject group by usubjid) as s using (usubjid)
    union all
    select t.table_name, 'patient of adsl', count(*),
        count(*) filter (a.USUBJID is null or t.SITEID is distinct from coalesce(a.SITEID::varchar, t.SITEID) and t.SITEID is not null)
    from (
        select 'analysis.adtte' as table_name, USUBJID, null::varchar as SITEID from analysis.adtte
        union all select 'analysis.adrs', USUBJID, null from analysis.adrs
        union all select 'analysis.adtox', USUBJID, SITEID::varchar from analysis.adtox
        union all select 'analysis.exclusion', USUBJID, SITEID::varchar from analysis.exclusion
        union all select 'analysis.salvage_line', USUBJID, SITEID::varchar from analysis.salvage_line
        union all select 'analysis.endpoint_problem', USUBJID, SITEID::varchar from analysis.endpoint_problem
    ) as t
    left join analysis.adsl as a using (USUBJID)
    group by t.table_name
    union all
    select 'analysis.adtte', 'group of the patient', count(*), count(*) filter (t.GRP4 is distinct from a.GRP4)
    from analysis.adtte as t
    join analysis.adsl as a using (USUBJID)
    union all
    select 'core.' || r."table", 'delivery in force', count(*)::bigint, count(*) filter (d.delivery_key is null)
    from meta.row_address as r
    left join meta.source as s using (source_id)
    left join quality.delivery as d
        on d.delivery_key = s.delivery_key and d.is_current and d.center_id::varchar = s.center_id::varchar
    group by r."table"
    union all
    select t.table_name, 'delivery', count(*), count(*) filter (d.delivery_key is null)
    from (
        select 'quality.check_run' as table_name, delivery_key from quality.check_run where delivery_key is not null
        union all select 'quality.finding', delivery_key from quality.finding
        union all select 'quality.ledger', delivery_key from quality.ledger
        union all select 'quality.query', delivery_key from quality.query where delivery_key is not null
    ) as t
    left join (select distinct delivery_key from quality.delivery) as d using (delivery_key)
    group by t.table_name
    union all
    select t.table_name, 'query', count(*), count(*) filter (q.query_id is null)
    from (
        select 'quality.query_event' as table_name, query_id from quality.query_event
        union all select 'quality.exception', query_id from quality.exception
    ) as t
    left join quality.query as q using (query_id)
    group by t.table_name
)
select table_name, reference, n_rows::bigint as n_rows, n_bad::bigint as n_bad, n_bad > 0 as bad
from pointed
order by all
