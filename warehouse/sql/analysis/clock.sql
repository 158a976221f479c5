-- temp.clock
-- Grain:   one row per patient of the cohort and endpoint (of RSD and RSDR: per responder, and per
--          patient of whom a held response leaves open whether they are): where the
--          clock starts, the event that comes first, the censoring date, and `reason` where the time
--          cannot be told.
-- Reads:   temp.endpoint_base, temp.endpoint_event, temp.endpoint_parameter, temp.endpoint_source,
--          temp.setting.
-- Feeds:   analysis.adtte, analysis.exclusion, analysis.endpoint_problem.
create or replace temp table clock as
with used as (
    select
        paramcd,
        bool_or(event = 'PD') as uses_pd,
        bool_or(event = 'RESPONSE') as uses_response,
        bool_or(event = 'NEXT_LINE') as uses_next_line,
        bool_or(event in ('DEATH', 'DEATH_MM', 'DEATH_OTHER')) as uses_death
    from endpoint_source
    group by paramcd
),
first_event as (
    select
        endpoint_event.usubjid,
        endpoint_source.paramcd,
        arg_min(endpoint_event, (endpoint_event.event_on, endpoint_source.rank)) as happened,
        arg_min(endpoint_source.cnsr, (endpoint_event.event_on, endpoint_source.rank)) as cnsr
    from endpoint_event
    inner join endpoint_source using (event)
    group by endpoint_event.usubjid, endpoint_source.paramcd
),
started as (
    select
        endpoint_base.*,
        endpoint_parameter.*,
        used.* exclude (paramcd),
        setting.data_cut,
        setting.response_analysed,
        case
            when endpoint_parameter.censoring = 'SETTING' and setting.pfs_censoring = 'last_assessment'
                then 'ASSESSMENT'
            when endpoint_parameter.censoring = 'SETTING' then 'CONTACT'
            else endpoint_parameter.censoring
        end as censor_rule,
        case endpoint_parameter.start
            when 'TRTSDT' then endpoint_base.trtsdt
            when 'CARTDT' then endpoint_base.cartdt
            when 'RELDT' then endpoint_base.reldt
            else endpoint_base.responded_on
        end as start_on,
        case endpoint_parameter.start
            when 'TRTSDT' then endpoint_base.start_flag
            when 'CARTDT' then endpoint_base.cartdtf
            when 'RELDT' then endpoint_base.reldtf
            else endpoint_base.responded_flag
        end as start_on_flag,
        case endpoint_parameter.start
            when 'RESPONSE' then endpoint_base.response_source
            else endpoint_parameter.start
        end as start_source,
        first_event.happened.event as event,
        first_event.happened.event_on as event_on,
        first_event.happened.recorded_on as recorded_on,
        first_event.happened.event_flag as event_flag,
        first_event.happened.event_text as event_text,
        first_event.happened.domain as event_domain,
        first_event.happened.variable as event_variable,
        first_event.happened.row_id as event_row_id,
        first_event.cnsr as event_cnsr
    from endpoint_base
    cross join endpoint_parameter
    cross join setting
    inner join used using (paramcd)
    left join first_event
        on endpoint_base.usubjid = first_event.usubjid and endpoint_parameter.paramcd = first_event.paramcd
    where endpoint_parameter.start != 'RESPONSE' or endpoint_base.is_responder = 'Y' or endpoint_base.is_response_open
)
select
    usubjid,
    center_id,
    salvage_group,
    data_cut,
    paramcd,
    param,
    has_competing,
    start_on,
    start_on_flag,
    start_source,
    event,
    event_on,
    -- What a new therapy censors is dated by the last assessment before it.
    case
        when event_cnsr = 4 then coalesce(assessed_before_next_line_on, start_on)
        else recorded_on
    end as recorded_on,
    event_flag,
    event_text,
    case
        when event_cnsr != 4 then event_domain
        when assessed_before_next_line_on is not null then 'RESPONSE'
        else 'ADSL'
    end as event_domain,
    case
        when event_cnsr != 4 then event_variable
        when assessed_before_next_line_on is not null then 'response_date'
        else start_source
    end as event_variable,
    case when event_cnsr = 4 then assessed_before_next_line_row_id else event_row_id end as event_row_id,
    event_cnsr,
    case when event = 'PD' then pd_source end as pd_source,
    case when event = 'PD' then pd_basis end as pd_basis,
    case when event = 'PD' then coalesce(pd_confirmed, 'U') end as pd_confirmed,
    censor_rule,
    case when censor_rule = 'ASSESSMENT' then coalesce(assessed_on, start_on) else lstalvdt end as censor_on,
    case
        when censor_rule != 'ASSESSMENT' then alive_text
        when assessed_on is not null then 'Last disease assessment'
        else 'No disease assessment after the start'
    end as censor_text,
    case
        when censor_rule = 'ASSESSMENT' and assessed_on is null then 3
        when censor_rule = 'ASSESSMENT' then 1
        when dthfl is null then unknown_cnsr
        else 1
    end as censor_cnsr,
    case when censor_rule != 'ASSESSMENT' then lstalvdtf end as censor_flag,
    case when censor_rule = 'ASSESSMENT' and assessed_on is not null then 'RESPONSE' else 'ADSL' end as censor_domain,
    case
        when censor_rule != 'ASSESSMENT' then 'LSTALVDT'
        when assessed_on is not null then 'response_date'
        else start_source
    end as censor_variable,
    case when censor_rule = 'ASSESSMENT' then assessed_row_id end as censor_row_id,
    case
        -- A response that is held back can be any, and the first one.
        when (uses_response or start = 'RESPONSE')
            and (is_response_open or (is_responder = 'Y' and is_first_response_open))
            then 'RESPONSE_HELD'
        when start_on is null or (uses_response and is_responder = 'Y' and responded_on is null)
            then 'RESPONSE_DATE_MISSING'
        when uses_response and is_responder is null and response_analysed = 'derived' then 'RESPONSE_NOT_DERIVED'
        when uses_response and is_responder is null then 'RESPONSE_NOT_ASSESSED'
        when uses_death and survival_reason = 'DEATH_BEFORE_START' then survival_reason
        -- A progression without a place in time may have come before anything else but a response.
        when uses_pd and pd_on is null and progression_reason is not null and event is distinct from 'RESPONSE'
            then progression_reason
        -- A next line that is held back may have come before anything but what its day leaves behind it.
        when
            uses_next_line
            and is_next_line_held
            and case event
                when 'RESPONSE' then coalesce(held_line_on < event_on, false)
                when 'PD' then coalesce(held_line_on <= event_on, true)
                else true
            end
            then 'NEXT_LINE_HELD'
        when
            uses_next_line
            and next_line_flag = 'M'
            and (event_on is null or year(event_on) >= year(next_line_on))
            then 'NEXT_LINE_DATE_YEAR_ONLY'
        when
            uses_death
            and (event is null or starts_with(event, 'DEATH') or event = 'ALIVE')
            and survival_reason is not null
            then survival_reason
        when starts_with(event, 'DEATH') and uses_pd and pd_on > dthdt then 'PROGRESSION_AFTER_DEATH'
        when starts_with(event, 'DEATH') and uses_next_line and next_line_on > dthdt then 'NEXT_LINE_AFTER_DEATH'
        when event = 'PD' and event_on < start_on then 'PROGRESSION_BEFORE_RESPONSE'
        when event is null and censor_rule = 'NONE' then 'NO_EVENT_DATE'
        when event_on < start_on then 'END_BEFORE_START'
    end as reason
from started
