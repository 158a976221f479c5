-- temp.clock
-- Grain:   one row per patient of the cohort and endpoint (OS, PFS, RSD): where the clock starts, the
--          event, the censoring date, and `reason` where the time cannot be told.
-- Reads:   analysis.adsl, temp.progression, temp.first_response, temp.timeline, temp.salvage_response.
-- Feeds:   analysis.adtte, analysis.exclusion.
create or replace temp table clock as
with last_assessment as (
    select salvage_response.usubjid, max(salvage_response.adt) as assessed_on
    from salvage_response
    inner join timeline using (usubjid)
    where
        salvage_response.adt >= timeline.trtsdt
        and (timeline.lstalvdt is null or salvage_response.adt <= timeline.lstalvdt)
    group by salvage_response.usubjid
),
base as (
    select
        adsl.*,
        setting.data_cut,
        setting.pfs_censoring,
        progression.pd_on,
        progression.pd_flag,
        progression.row_id as pd_row_id,
        progression.domain as pd_domain,
        progression.variable as pd_variable,
        coalesce(progression.n_undated, 0) as n_undated_pd,
        coalesce(progression.n_before_start, 0) as n_pd_before_start,
        first_response.responded_on,
        first_response.responded_flag,
        first_response.source as response_source,
        last_assessment.assessed_on,
        vital.death_date_precision,
        case
            when adsl.DTHFL = 'Y' and adsl.DTHDT is null then 'DEATH_DATE_MISSING'
            when adsl.DTHFL = 'Y' and vital.death_date_precision = 'year' then 'DEATH_DATE_YEAR_ONLY'
            when adsl.DTHDT < adsl.TRTSDT then 'DEATH_BEFORE_START'
            when adsl.LSTALVDT is null then 'NO_LAST_CONTACT'
            when adsl.LSTALVDT < adsl.TRTSDT and adsl.DTHDT is null then 'LAST_CONTACT_BEFORE_START'
        end as survival_reason,
        case
            when progression.pd_on is not null then null
            when progression.n_before_start > 0 then 'PROGRESSION_BEFORE_START'
            when progression.n_undated > 0 then 'PROGRESSION_DATE_MISSING'
        end as progression_reason,
        case when adsl.VITSTAT = 'LOST' then 'Lost to follow-up'
            when adsl.DTHFL is null then 'Vital status unknown, last evidence alive'
            else 'Alive at last contact'
        end as alive_text,
        case when adsl.DTHFL is null then 2 else 1 end as alive_code
    from analysis.adsl as adsl
    cross join setting
    left join progression using (usubjid)
    left join first_response using (usubjid)
    left join last_assessment using (usubjid)
    left join vital using (usubjid)
)
select
    STUDYID, USUBJID, SITEID, GRP4, data_cut,
    'OS' as PARAMCD,
    'Overall survival from first salvage' as PARAM,
    TRTSDT as STARTDT,
    TRTSDTF as STARTDTF,
    'TRTSDT' as STARTSRC,
    DTHDT as event_on,
    DTHDTF as event_flag,
    'Death' as event_text,
    'ADSL' as event_domain,
    'DTHDT' as event_variable,
    null::bigint as event_row_id,
    LSTALVDT as censor_on,
    alive_text as censor_text,
    alive_code as censor_code,
    'LSTALVDT' as censor_variable,
    survival_reason as reason
from base
union all
select
    STUDYID, USUBJID, SITEID, GRP4, data_cut,
    'PFS',
    'Progression-free survival from first salvage',
    TRTSDT,
    TRTSDTF,
    'TRTSDT',
    least(pd_on, DTHDT),
    case when pd_on <= DTHDT or DTHDT is null then pd_flag else DTHDTF end,
    -- Progression and death on one day are one event, called progression (dossier 5.2).
    case when pd_on <= DTHDT or (pd_on is not null and DTHDT is null) then 'Disease progression' else 'Death' end,
    case when pd_on <= DTHDT or (pd_on is not null and DTHDT is null) then pd_domain else 'ADSL' end,
    case when pd_on <= DTHDT or (pd_on is not null and DTHDT is null) then pd_variable else 'DTHDT' end,
    case when pd_on <= DTHDT or DTHDT is null then pd_row_id end,
    case
        when pfs_censoring != 'last_assessment' then LSTALVDT
        else coalesce(assessed_on, TRTSDT)
    end,
    case
        when pfs_censoring != 'last_assessment' then alive_text
        when assessed_on is not null then 'Last disease assessment'
        else 'No disease assessment after the start'
    end,
    case
        when pfs_censoring != 'last_assessment' then alive_code
        when assessed_on is null then 3
        else 1
    end,
    case when pfs_censoring != 'last_assessment' then 'LSTALVDT' else 'ADT' end,
    case when pd_on is null then coalesce(progression_reason, survival_reason)
        when survival_reason = 'DEATH_BEFORE_START' then survival_reason
        when pd_on > DTHDT then 'PROGRESSION_AFTER_DEATH'
    end
from base
union all
select
    STUDYID, USUBJID, SITEID, GRP4, data_cut,
    'RSD',
    'Duration of response to the first salvage',
    responded_on,
    responded_flag,
    response_source,
    least(pd_on, DTHDT),
    case when pd_on <= DTHDT or DTHDT is null then pd_flag else DTHDTF end,
    case when pd_on <= DTHDT or (pd_on is not null and DTHDT is null) then 'Disease progression' else 'Death' end,
    case when pd_on <= DTHDT or (pd_on is not null and DTHDT is null) then pd_domain else 'ADSL' end,
    case when pd_on <= DTHDT or (pd_on is not null and DTHDT is null) then pd_variable else 'DTHDT' end,
    case when pd_on <= DTHDT or DTHDT is null then pd_row_id end,
    LSTALVDT,
    alive_text,
    alive_code,
    'LSTALVDT',
    case
        when responded_on is null then 'RESPONSE_DATE_MISSING'
        when pd_on is null then coalesce(progression_reason, survival_reason)
        when pd_on > DTHDT then 'PROGRESSION_AFTER_DEATH'
        when pd_on < responded_on then 'PROGRESSION_BEFORE_RESPONSE'
    end
from base
where RESPFL = 'Y'
