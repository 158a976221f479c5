-- temp.salvage_response
-- Grain:   one row per reported response of the first salvage or a later line, with its day
--          imputed in the order that the partial dates allow: the line starts, responds, progresses, and ends
--          before the next line or with death. Responses come first, progressions then into what they leave. Of a
--          progression known by year only the day is not known. One recorded under a line before the first
--          salvage (a bridge) counts from the start of the salvage on (`is_before`).
-- Reads:   core.response, temp.timeline, temp.salvage_sequence.
-- Feeds:   temp.last_alive, temp.progression, temp.analysed_response, temp.endpoint_base.
create or replace temp table salvage_response as
with line as (
    select
        salvage_sequence.usubjid,
        salvage_sequence.line_number,
        case when salvage_number = 1 then timeline.trtsdt else greatest(timeline.trtsdt, salvage_sequence.start_date) end
            as start_on,
        lead(salvage_sequence.start_date) over (
            partition by salvage_sequence.usubjid order by salvage_number
        ) as next_on
    from salvage_sequence
    inner join timeline using (usubjid)
),
read as (
    select
        response.usubjid,
        response.row_id,
        response.line_number,
        response.line_number < timeline.line_number as is_before,
        response.kind,
        response.category,
        response.kind = 'PROGRESSION' or response.category = 'PD' as is_progression,
        response.response_date as first_day,
        latest_day(response.response_date, response.response_date_precision) as last_day,
        response.response_date_precision as day_precision,
        response.progression_basis,
        response.confirmed,
        coalesce(line.start_on, timeline.trtsdt) as start_on,
        -- What is recorded for a line lies before the next one starts, as far as its month allows; and
        -- not after the last contact, if that is not before it, nor after the export.
        least(
            case
                when line.next_on - 1 >= response.response_date then line.next_on - 1
                when line.next_on >= response.response_date then line.next_on
            end,
            case when timeline.last_contact_last_day >= response.response_date then timeline.last_contact_last_day end,
            timeline.dthdt,
            timeline.export_on
        ) as end_on,
        timeline.trtsdt,
        timeline.reldt
    from core.response as response
    inner join timeline using (usubjid)
    left join line on response.usubjid = line.usubjid and response.line_number = line.line_number
    where
        response.line_number >= timeline.line_number
        or (
            response.line_number > 0
            and coalesce(response.kind = 'PROGRESSION' or response.category = 'PD', false)
        )
),
-- The first progression of a line: its responses are not after it.
progressed as (
    select usubjid, line_number, min(last_day) as pd_last_day
    from read
    where is_progression
    group by usubjid, line_number
),
responded as (
    select
        read.row_id,
        read.usubjid,
        read.line_number,
        impute_start(
            read.first_day,
            read.day_precision,
            read.start_on,
            case
                when progressed.pd_last_day >= read.first_day then least(progressed.pd_last_day, read.end_on)
                else read.end_on
            end
        ) as adt
    from read
    left join progressed using (usubjid, line_number)
    where not coalesce(read.is_progression, false)
),
-- The last response that a progression known by month can follow.
followed as (
    select read.row_id, max(responded.adt) as responded_on
    from read
    inner join responded using (usubjid, line_number)
    where read.is_progression and read.day_precision = 'month' and responded.adt <= read.last_day
    group by read.row_id
),
dated as (
    select
        read.*,
        case
            when not coalesce(read.is_progression, false) then responded.adt
            when read.day_precision = 'year' or (read.is_before and read.first_day < read.trtsdt) then null
            else impute_event(
                read.first_day, read.day_precision, greatest(read.start_on, followed.responded_on), read.end_on
            )
        end as adt
    from read
    left join responded using (row_id)
    left join followed using (row_id)
)
select
    dated.usubjid,
    dated.row_id,
    dated.line_number,
    dated.line_number = timeline.line_number as is_first_salvage,
    dated.is_before,
    dated.kind,
    dated.category,
    dated.is_progression,
    case dated.category
        when 'sCR' then 7 when 'CR' then 6 when 'VGPR' then 5 when 'PR' then 4
        when 'MR' then 3 when 'SD' then 2 when 'LTPR' then 1.5 when 'PD' then 1
    end as depth,
    dated.adt,
    imputed_flag(dated.first_day, dated.day_precision) as adtf,
    dated.first_day is not null and dated.day_precision = 'year' as is_year_only,
    dated.progression_basis,
    dated.confirmed
from dated
inner join timeline using (usubjid)
where
    -- Under a bridge, what surely came before the salvage, or is the relapse itself, is no event of it.
    not dated.is_before
    or (coalesce(dated.last_day >= dated.trtsdt, true) and dated.first_day is distinct from dated.reldt)
