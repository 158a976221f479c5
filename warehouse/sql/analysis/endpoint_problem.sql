-- analysis.endpoint_problem
-- Grain:   one row per patient of the cohort, endpoint and reason: EXCLUDED where the time cannot be told
--          (the same patients as analysis.exclusion), KEPT where it is told and deserves a look.
-- Reads:   analysis.exclusion, analysis.adtte, temp.clock, temp.endpoint_base, temp.salvage_response, temp.endpoint_reason,
--          temp.vital, temp.setting.
-- Feeds:   listings of what a center should be asked; nothing of the report.
create or replace table analysis.endpoint_problem as
with kept as (
    select usubjid, 'PFS' as paramcd, 'PROGRESSION_ON_START_DAY' as reason, pd_on as ended_on
    from endpoint_base
    where pd_on = trtsdt
    union all
    select usubjid, 'PFS', 'PROGRESSION_FROM_BEST_RESPONSE', pd_on
    from endpoint_base
    where pd_source = 'RESP'
    union all
    -- A progression told as the best response, before the one that is the event.
    select endpoint_base.usubjid, 'PFS', 'BEST_RESPONSE_PROGRESSED_BEFORE', min(salvage_response.adt)
    from endpoint_base
    inner join salvage_response using (usubjid)
    where
        salvage_response.is_progression
        and salvage_response.kind = 'BEST'
        and salvage_response.adt >= endpoint_base.trtsdt
        and salvage_response.adt < endpoint_base.pd_on
    group by endpoint_base.usubjid
    union all
    select usubjid, 'TTRSP', 'RESPONSE_AFTER_PROGRESSION', responded_on
    from endpoint_base
    where is_responder = 'Y' and responded_on > pd_on
    union all
    select usubjid, 'PFS', 'PROGRESSION_HELD_BESIDE', pd_on
    from endpoint_base
    where pd_on is not null and progression_held_reason is not null
    union all
    select usubjid, 'PFSLA', 'RESPONSE_HELD_BESIDE', held_assessed_on
    from endpoint_base
    where held_assessed_on > coalesce(assessed_on, trtsdt)
    union all
    select usubjid, 'RSD', 'RESPONSE_FROM_BEST_RESPONSE', responded_on
    from endpoint_base
    where response_source = 'BEST' and is_responder = 'Y'
    union all
    select usubjid, 'PFS', 'NEXT_LINE_WITHOUT_PROGRESSION', next_line_on
    from endpoint_base
    where next_line_on is not null and (pd_on is null or pd_on > next_line_on)
    union all
    select usubjid, 'CIR', 'MYELOMA_DEATH_WITHOUT_PROGRESSION', dthdt
    from endpoint_base
    where death_cause = 'MYELOMA' and dthdt is not null and pd_on is null
    union all
    select endpoint_base.usubjid, 'OS', 'EVIDENCE_AFTER_LAST_CONTACT', endpoint_base.lstalvdt
    from endpoint_base
    inner join vital using (usubjid)
    where
        endpoint_base.dthfl is distinct from 'Y'
        and endpoint_base.lstalvdt
        > latest_day(vital.last_contact_date, vital.last_contact_date_precision)
),
found as (
    select exclusion.USUBJID as usubjid, exclusion.PARAMCD as paramcd, exclusion.reason, 'EXCLUDED' as outcome,
        coalesce(clock.event_on, clock.censor_on) as ended_on
    from analysis.exclusion as exclusion
    left join clock on exclusion.USUBJID = clock.usubjid and exclusion.PARAMCD = clock.paramcd
    union all
    select kept.usubjid, kept.paramcd, kept.reason, 'KEPT', kept.ended_on
    from kept
    -- What is left out has its own reason above.
    inner join analysis.adtte as adtte on kept.usubjid = adtte.USUBJID and kept.paramcd = adtte.PARAMCD
)
select
    setting.study_id as STUDYID,
    found.usubjid as USUBJID,
    endpoint_base.center_id as SITEID,
    found.paramcd as PARAMCD,
    found.reason,
    found.outcome,
    endpoint_reason.rule_id,
    endpoint_reason.text,
    clock.start_on as STARTDT,
    found.ended_on as ENDDT,
    found.ended_on - clock.start_on as days
from found
cross join setting
inner join endpoint_base using (usubjid)
left join endpoint_reason using (reason)
left join clock on found.usubjid = clock.usubjid and found.paramcd = clock.paramcd
order by PARAMCD, USUBJID, found.reason
