-- temp.toxicity_period
-- Grain:   one row per CRS or ICANS event of the cohort, with the therapy that it belongs to: SALVAGE from the
--          start of the first salvage on, else the last INFUSION before the onset. UNDATED where the onset
--          is missing or could lie on either side of a boundary; BEFORE where it lies before the first infusion.
--          Grade 0 without an onset says that there was none: it is kept as NONE.
--          Events after the data cut are not counted.
-- Reads:   core.toxicity, core.infusion, temp.timeline, temp.setting.
-- Feeds:   analysis.adtox, temp.toxicity_index.
create or replace temp table toxicity_period as
with event as (
    select
        toxicity.usubjid,
        toxicity.row_id,
        toxicity.kind,
        toxicity.grade,
        toxicity.scale,
        -- The lowest grade by ASTCT 2019 that the support given or the ICE score allows.
        case toxicity.kind
            when 'CRS' then greatest(
                case toxicity.vasopressors when 'NONE' then 0 when 'ONE' then 3 when 'SEVERAL' then 4 end,
                case toxicity.oxygen when 'NONE' then 0 when 'LOW_FLOW' then 2 when 'HIGH_FLOW' then 3 when 'POSITIVE_PRESSURE' then 4 end
            )
            when 'ICANS' then greatest(
                case
                    when toxicity.ice_score = 10 then 0
                    when toxicity.ice_score >= 7 then 1
                    when toxicity.ice_score >= 3 then 2
                    when toxicity.ice_score >= 0 then 3
                end,
                case toxicity.unarousable when 'Y' then 4 end
            )
        end as lowest_grade,
        toxicity.onset_date as onset_first_day,
        latest_day(toxicity.onset_date, toxicity.onset_date_precision) as onset_last_day,
        toxicity.onset_date_precision,
        timeline.trtsdt
    from core.toxicity as toxicity
    inner join timeline using (usubjid)
    cross join setting
    where
        toxicity.grade is not null
        and (setting.data_cut is null or toxicity.onset_date is null or toxicity.onset_date <= setting.data_cut)
),
matched as (
    -- The last infusion that the onset can follow; every infusion that it may precede leaves it open.
    select
        event.row_id,
        event.usubjid,
        max(infusion.infusion_number) filter (where infusion.infusion_date <= event.onset_last_day) as infusion_number,
        count(*) filter (
            where infusion.infusion_number > 1
            and infusion.infusion_date <= event.onset_last_day
            and latest_day(infusion.infusion_date, infusion.infusion_date_precision) > event.onset_first_day
        ) > 0 as is_between
    from event
    inner join core.infusion as infusion on event.usubjid = infusion.usubjid
    where infusion.infusion_date < event.trtsdt
    group by event.row_id, event.usubjid
),
placed as (
    select
        event.*,
        matched.infusion_number,
        case
            when event.onset_first_day is null then case when event.grade = 0 then 'NONE' else 'UNDATED' end
            when event.onset_first_day >= event.trtsdt then 'SALVAGE'
            when event.onset_last_day >= event.trtsdt or matched.is_between then 'UNDATED'
            when matched.infusion_number is null then 'BEFORE'
            else 'INFUSION'
        end as period
    from event
    left join matched using (usubjid, row_id)
)
select
    * exclude (infusion_number),
    case when scale = 'ASTCT2019' then grade < lowest_grade end as is_too_low,
    case when period = 'INFUSION' then infusion_number when period = 'NONE' then 1 end as infusion_number
from placed
