-- analysis.adtte
-- Grain:   one row per patient of the cohort and endpoint whose time can be told. AVAL in days with the
--          first day counted (ADT - STARTDT + 1), AVALM in months without it. CNSR 0 is an event. The
--          parameters of the sensitivity pair end in E or L and say EARLIEST or LATEST in ANALYSIS.
-- Reads:   temp.clock, temp.setting.
-- Feeds:   displays F1C, S1A.
create or replace table analysis.adtte as
with dated as (
    select
        clock.*,
        event_on is not null and (data_cut is null or event_on <= data_cut) as is_ended,
        event_on is not null and not is_ended and censor_rule != 'ASSESSMENT' as is_cut,
        case
            when is_ended then recorded_on
            when is_cut then data_cut
            else least(data_cut, censor_on)
        end as end_on,
        case when is_ended then event_cnsr when is_cut then 1 else censor_cnsr end::integer as cnsr
    from clock
    where reason is null
)
select
    setting.study_id as STUDYID,
    dated.usubjid as USUBJID,
    dated.paramcd || case setting.completion when 'EARLIEST' then 'E' when 'LATEST' then 'L' else '' end as PARAMCD,
    dated.param as PARAM,
    dated.start_on as STARTDT,
    dated.start_on_flag as STARTDTF,
    dated.start_source as STARTSRC,
    dated.end_on as ADT,
    case
        when dated.is_ended and dated.event_cnsr != 4 then dated.event_flag
        when not dated.is_ended and dated.end_on = dated.censor_on and not dated.is_cut then dated.censor_flag
    end as ADTF,
    dated.end_on - dated.start_on + 1 as AVAL,
    (dated.end_on - dated.start_on) / setting.days_per_month as AVALM,
    dated.cnsr as CNSR,
    case when dated.cnsr = 0 then dated.event_text end as EVNTDESC,
    case
        when dated.cnsr = 0 then null
        when dated.is_ended and dated.event_cnsr = 2 then 'Competing event: ' || lower(dated.event_text)
        when dated.is_ended and dated.event_cnsr = 4 then 'New therapy, last assessment before it'
        when dated.is_ended then dated.event_text
        when dated.is_cut or dated.censor_on > dated.data_cut then 'Data cut'
        else dated.censor_text
    end as CNSDTDSC,
    case when dated.is_ended then dated.event_domain else dated.censor_domain end as SRCDOM,
    case when dated.is_ended then dated.event_variable else dated.censor_variable end as SRCVAR,
    case when dated.is_ended then dated.event_row_id else dated.censor_row_id end as SRCSEQ,
    dated.salvage_group as GRP4,
    case when dated.has_competing then case dated.cnsr when 0 then 1 when 2 then 2 else 0 end end::integer as CRSTAT,
    case when dated.is_ended then dated.pd_source end as PDSRC,
    case when dated.is_ended then dated.pd_basis end as PDBASIS,
    case when dated.is_ended then dated.pd_confirmed end as CONFFL,
    setting.completion as ANALYSIS
from dated
cross join setting
where dated.end_on >= dated.start_on
order by PARAMCD, USUBJID
