-- analysis.adtte
-- Grain:   one row per patient of the cohort and endpoint whose time can be told. AVAL in days with the
--          first day counted (ADT - STARTDT + 1), AVALM in months without it. CNSR 0 is an event.
-- Reads:   temp.clock, temp.setting.
-- Feeds:   displays F1C, S1A.
create or replace table analysis.adtte as
with ended as (
    select
        clock.*,
        event_on is not null and (data_cut is null or event_on <= data_cut) as has_event,
        case when event_on is not null then least(data_cut, event_on) else least(data_cut, censor_on) end as end_on
    from clock
    where reason is null
)
select
    ended.STUDYID,
    ended.USUBJID,
    ended.PARAMCD,
    ended.PARAM,
    ended.STARTDT,
    ended.STARTDTF,
    ended.STARTSRC,
    ended.end_on as ADT,
    case when ended.has_event then ended.event_flag end as ADTF,
    ended.end_on - ended.STARTDT + 1 as AVAL,
    (ended.end_on - ended.STARTDT) / setting.days_per_month as AVALM,
    case when ended.has_event then 0 when ended.event_on is not null then 1 else ended.censor_code end::integer as CNSR,
    case when ended.has_event then ended.event_text end as EVNTDESC,
    case
        when ended.has_event then null
        when ended.event_on is not null or ended.censor_on > ended.data_cut then 'Data cut'
        else ended.censor_text
    end as CNSDTDSC,
    case when ended.has_event then ended.event_domain else 'ADSL' end as SRCDOM,
    case when ended.has_event then ended.event_variable else ended.censor_variable end as SRCVAR,
    case when ended.has_event then ended.event_row_id end as SRCSEQ,
    ended.GRP4
from ended
cross join setting
where ended.end_on >= ended.STARTDT
order by PARAMCD, USUBJID
