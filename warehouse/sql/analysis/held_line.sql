-- temp.held_line
-- Grain:   one row per patient with a first salvage and a line that is held back: whether it may be, or be
--          part of, the first salvage; whether it may be the next line, and the first day on which that line
--          can have started (null: not known); whether it is a line after the first salvage.
--          A second bispecific within 28 days is part of the first salvage, and a line that can be a bridge is
--          none if a systemic line follows within `bridge_days`. A copy of a line that counts is no other line.
-- Reads:   temp.held_row, temp.first_salvage, temp.drug_class, core.treatment_line, temp.setting.
-- Feeds:   temp.candidate, temp.timeline, temp.clock.
create or replace temp table held_line as
with named as (
    select
        list(drug_id) filter (where is_bispecific) as bispecifics,
        list(drug_id) filter (where bridge = 'ALKYLATOR') as alkylators,
        list(drug_id) filter (where bridge is not null) as bridges
    from drug_class
),
held as (
    select
        held_row.usubjid,
        held_row.number,
        held_row.day,
        latest_day(held_row.day, held_row.day_precision) as last_day,
        string_split(held_row.value, '|') as held_drugs,
        string_split(first_salvage.drugs, '|') as first_drugs,
        first_salvage.line_number,
        first_salvage.start_date,
        first_salvage.next_line_number,
        first_salvage.next_line_on
    from held_row
    inner join first_salvage using (usubjid)
    where
        held_row.held_table = 'treatment_line'
        and not exists (
            from core.treatment_line as line
            where
                line.usubjid = held_row.usubjid
                and line.drugs = held_row.value
                -- As rule DUP-03 knows a copy: within three days, whatever the days of partial dates.
                and latest_day(held_row.day, held_row.day_precision) - line.start_date <= 3
                and latest_day(line.start_date, line.start_date_precision) - held_row.day <= 3
        )
),
placed as (
    select
        held.*,
        number is null or number > line_number as is_later,
        -- A number or a day before the next known line; a line without a number can be anywhere.
        (number is null or number > line_number)
        and (
            number is null
            or next_line_number is null
            or number <= next_line_number
            or last_day < next_line_on
        ) as is_next,
        list_has_all(named.bridges, first_drugs)
        and len(list_intersect(first_drugs, named.alkylators)) <= 1
        and not coalesce(
            list_has_all(named.bridges, held_drugs) and len(list_intersect(held_drugs, named.alkylators)) <= 1,
            false
        )
        and (day is null or day <= start_date + setting.bridge_days) as ends_bridge,
        list_has_any(named.bispecifics, first_drugs)
        and (
            held_drugs is null
            or not list_has_all(first_drugs, list_intersect(named.bispecifics, held_drugs))
        )
        and (day is null or day <= start_date + 28) as is_second_bispecific
    from held
    cross join named
    cross join setting
)
select
    usubjid,
    bool_or(
        (number is null and (day is null or day <= start_date))
        or (is_next and (ends_bridge or is_second_bispecific))
    ) as may_change_first,
    bool_or(is_next) as is_next,
    case
        when not bool_or(is_next and (day is null or last_day < start_date)) then min(day) filter (where is_next)
    end as next_on,
    bool_or(is_later) as is_later
from placed
group by usubjid
