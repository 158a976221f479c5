-- temp.endpoint_base
-- Grain:   one row per patient of the cohort: the dates that the endpoints rest on, and why a death or
--          a progression cannot be placed in time.
-- Reads:   temp.timeline, temp.last_alive, temp.progression, temp.first_response, temp.best_response,
--          temp.held_response, temp.held_row, temp.salvage_response, temp.vital, temp.setting.
-- Feeds:   temp.endpoint_event, temp.clock.
create or replace temp table endpoint_base as
with assessed as (
    select
        salvage_response.usubjid,
        max(salvage_response.adt) filter (
            where last_alive.lstalvdt is null or salvage_response.adt <= last_alive.lstalvdt
        ) as assessed_on,
        arg_max(salvage_response.row_id, (salvage_response.adt, salvage_response.row_id)) filter (
            where last_alive.lstalvdt is null or salvage_response.adt <= last_alive.lstalvdt
        ) as assessed_row_id,
        max(salvage_response.adt) filter (where salvage_response.adt < timeline.next_line_on)
            as assessed_before_next_line_on,
        arg_max(salvage_response.row_id, (salvage_response.adt, salvage_response.row_id)) filter (
            where salvage_response.adt < timeline.next_line_on
        ) as assessed_before_next_line_row_id
    from salvage_response
    inner join timeline using (usubjid)
    inner join last_alive using (usubjid)
    cross join setting
    where
        salvage_response.adt >= timeline.trtsdt
        and not salvage_response.is_before
        and (setting.data_cut is null or salvage_response.adt <= setting.data_cut)
    group by salvage_response.usubjid
)
select
    timeline.usubjid,
    timeline.center_id,
    timeline.salvage_group,
    timeline.cartdt,
    timeline.cartdtf,
    timeline.reldt,
    timeline.reldtf,
    timeline.trtsdt,
    timeline.start_flag,
    timeline.dthfl,
    timeline.dthdt,
    timeline.dthdtf,
    timeline.death_cause,
    last_alive.lstalvdt,
    last_alive.lstalvdtf,
    timeline.next_line_on,
    timeline.next_line_flag,
    timeline.next_line_number,
    timeline.is_next_line_held,
    timeline.held_line_on,
    progression.pd_on,
    progression.pd_flag,
    progression.row_id as pd_row_id,
    progression.domain as pd_domain,
    progression.variable as pd_variable,
    progression.pd_source,
    progression.pd_basis,
    progression.pd_confirmed,
    first_response.responded_on,
    first_response.responded_flag,
    first_response.source as response_source,
    first_response.row_id as response_row_id,
    first_response.domain as response_domain,
    case
        when held_response.is_best_open then null
        when best_response.category in ('sCR', 'CR', 'VGPR', 'PR') then 'Y'
        when best_response.category in ('MR', 'SD', 'PD', 'LTPR') then 'N'
        when setting.ne_is_nonresponder and setting.response_analysed = 'reported' then 'N'
    end as is_responder,
    coalesce(held_response.is_best_open, false) as is_response_open,
    coalesce(held_response.is_first_open, false) as is_first_response_open,
    held_response.assessed_on as held_assessed_on,
    assessed.assessed_on,
    assessed.assessed_row_id,
    assessed.assessed_before_next_line_on,
    assessed.assessed_before_next_line_row_id,
    case
        when timeline.dthfl = 'Y' and timeline.dthdt is null then 'DEATH_DATE_MISSING'
        when timeline.dthfl = 'Y' and vital.death_date_precision = 'year' then 'DEATH_DATE_YEAR_ONLY'
        when timeline.dthdt < timeline.trtsdt then 'DEATH_BEFORE_START'
        when vital.usubjid is null and held_follow_up.usubjid is not null then 'FOLLOW_UP_HELD'
        when last_alive.lstalvdt is null then 'NO_LAST_CONTACT'
        when last_alive.lstalvdt < timeline.trtsdt and timeline.dthdt is null then 'LAST_CONTACT_BEFORE_START'
    end as survival_reason,
    case
        when progression.pd_on is not null then null
        when progression.n_before_start > 0 then 'PROGRESSION_BEFORE_START'
        when progression.n_year_only > 0 then 'PROGRESSION_DATE_YEAR_ONLY'
        when progression.n_undated > 0 then 'PROGRESSION_DATE_MISSING'
        else progression.held_reason
    end as progression_reason,
    progression.held_reason as progression_held_reason,
    case
        when timeline.vital_status = 'LOST' then 'Lost to follow-up'
        when timeline.dthfl is null then 'Vital status unknown, last evidence alive'
        else 'Alive at last contact'
    end as alive_text
from timeline
inner join last_alive using (usubjid)
cross join setting
left join progression using (usubjid)
left join first_response using (usubjid)
left join best_response using (usubjid)
left join held_response using (usubjid)
left join assessed using (usubjid)
left join vital using (usubjid)
left join (select distinct usubjid from held_row where held_table = 'follow_up') as held_follow_up using (usubjid)
