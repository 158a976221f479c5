-- temp.candidate
-- Grain:   one row per patient of the warehouse; `reason` says why not in the cohort, null if in it.
-- Reads:   core.subject, temp.index_infusion, temp.index_relapse, temp.first_salvage, core.relapse,
--          core.treatment_line, temp.held, temp.held_row, temp.held_line.
-- Feeds:   analysis.attrition, temp.timeline.
create or replace temp table candidate as
with relapsed as (select distinct usubjid from core.relapse),
holds as (
    select
        usubjid,
        bool_or(held_table = 'infusion') as infusion,
        bool_or(held_table = 'relapse') as relapse,
        bool_or(held_table = 'treatment_line') as line
    from (select usubjid, held_table from held union select usubjid, held_table from held_row)
    group by usubjid
),
-- A relapse that is held back and may be the first one: its number or its date says so, or neither is known.
relapse_before as (
    select distinct held_row.usubjid
    from held_row
    inner join index_relapse using (usubjid)
    inner join index_infusion using (usubjid)
    where
        held_row.held_table = 'relapse'
        and (
            held_row.number <= index_relapse.relapse_number
            or (held_row.number is null and held_row.day is null)
            or (
                latest_day(held_row.day, held_row.day_precision) > index_infusion.infusion_first_day
                and case
                    when held_row.number is null then held_row.day <= index_relapse.relapse_last_day
                    else latest_day(held_row.day, held_row.day_precision) < index_relapse.relapse_first_day
                end
            )
        )
),
-- Lines that are there below the first salvage: where one of them is held, which is the first is not known.
-- Lymphodepletion that was entered as a line is held back and known to be none.
below as (
    select first_salvage.usubjid, count(distinct line.line_number) as n_lines
    from first_salvage
    inner join (
        select usubjid, line_number from core.treatment_line
        union
        select usubjid, number from held_row where held_table = 'lymphodepletion'
    ) as line
        on first_salvage.usubjid = line.usubjid and line.line_number < first_salvage.line_number
    group by first_salvage.usubjid
)
select
    subject.usubjid,
    subject.center_id,
    case
        when index_infusion.usubjid is null and holds.infusion then 'INFUSION_HELD'
        when index_infusion.usubjid is null then 'NO_INDEX_INFUSION'
        when index_infusion.product not in ('IDE', 'CILTA') or index_infusion.product is null then 'OTHER_PRODUCT'
        when index_infusion.setting = 'TRIAL' then 'TRIAL_PRODUCT'
        when index_infusion.infusion_first_day is null or index_infusion.infusion_date_precision = 'year'
            then 'INFUSION_DATE_INCOMPLETE'
        when relapsed.usubjid is null and holds.relapse then 'RELAPSE_HELD'
        when relapsed.usubjid is null then 'NO_RELAPSE'
        when relapse_before.usubjid is not null or (index_relapse.usubjid is null and holds.relapse) then 'RELAPSE_HELD'
        when index_relapse.usubjid is null then 'RELAPSE_NOT_AFTER_INFUSION'
        when index_relapse.relapse_date_precision = 'year' then 'RELAPSE_DATE_INCOMPLETE'
        when
            held_line.may_change_first
            or (
                holds.line
                and (
                    first_salvage.usubjid is null
                    or first_salvage.line_number - 1 > coalesce(below.n_lines, 0)
                )
            )
            then 'SALVAGE_HELD'
        when first_salvage.usubjid is null then 'NO_SALVAGE'
        when first_salvage.start_flag = 'M' then 'SALVAGE_START_INCOMPLETE'
        when first_salvage.start_date > setting.data_cut then 'SALVAGE_AFTER_DATA_CUT'
        when center_definition_excluded.center_id is not null then 'CENTER_DEFINITION'
    end as reason
from core.subject as subject
cross join setting
left join index_infusion using (usubjid)
left join relapsed using (usubjid)
left join index_relapse using (usubjid)
left join first_salvage using (usubjid)
left join holds using (usubjid)
left join below using (usubjid)
left join held_line using (usubjid)
left join relapse_before using (usubjid)
left join center_definition_excluded using (center_id)
