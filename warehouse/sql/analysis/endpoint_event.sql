-- temp.endpoint_event
-- Grain:   one row per patient of the cohort and kind of event that has a date. `event_on` decides which
--          event comes first, `recorded_on` is the date that the endpoint carries: at a new therapy, of
--          the last assessment before it (the start where there is none).
-- Reads:   temp.endpoint_base, temp.setting.
-- Feeds:   temp.clock.
create or replace temp table endpoint_event as
select usubjid, 'DEATH' as event, dthdt as event_on, dthdt as recorded_on, dthdtf as event_flag, 'Death' as event_text,
    'ADSL' as domain, 'DTHDT' as variable, null::bigint as row_id
from endpoint_base
where dthdt is not null
union all
select usubjid, case when death_cause = 'MYELOMA' then 'DEATH_MM' else 'DEATH_OTHER' end, dthdt, dthdt, dthdtf,
    case when death_cause = 'MYELOMA' then 'Death from myeloma' else 'Death' end, 'ADSL', 'DTHDT', null
from endpoint_base
where dthdt is not null
union all
select usubjid, 'PD', pd_on, pd_on, pd_flag, 'Disease progression', pd_domain, pd_variable, pd_row_id
from endpoint_base
where pd_on is not null
union all
select usubjid, 'RELAPSE', reldt, reldt, reldtf, 'Relapse or progression', 'ADSL', 'RELDT', null
from endpoint_base
where reldt is not null
union all
select usubjid, 'NEXT_LINE', next_line_on, next_line_on, next_line_flag, 'Next treatment', 'ADSL', 'NACTDT', null
from endpoint_base
where next_line_on is not null
union all
select usubjid, 'RESPONSE', responded_on, responded_on, responded_flag,
    case response_source when 'BEST' then 'Best response, the first one not dated' else 'Response' end,
    response_domain, case response_domain when 'RESPONSE' then 'response_date' else 'assessed_on' end, response_row_id
from endpoint_base
-- Only of those whom the response rate counts: a best response as reported stands above assessments.
where responded_on is not null and is_responder = 'Y'
union all
-- Reverse follow-up: being alive at the last contact, or at the data cut if that is earlier.
select usubjid, 'ALIVE', least(endpoint_base.lstalvdt, setting.data_cut), least(endpoint_base.lstalvdt, setting.data_cut),
    case when endpoint_base.lstalvdt > setting.data_cut then null else endpoint_base.lstalvdtf end, 'Alive', 'ADSL', 'LSTALVDT', null
from endpoint_base
cross join setting
where
    endpoint_base.lstalvdt is not null
    and (endpoint_base.dthfl is distinct from 'Y' or endpoint_base.dthdt > setting.data_cut)
