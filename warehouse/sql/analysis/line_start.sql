-- temp.line_start
-- Grain:   one row per line after CAR-T that can belong to the index relapse, with its start imputed.
-- Reads:   core.treatment_line, core.response, core.relapse, temp.index_relapse, temp.vital, temp.export_day.
-- Feeds:   transforms/derive/lines.py, which groups the lines and finds the first salvage.
create or replace temp table line_start as
with first_assessment as (
    select usubjid, line_number, min(latest_day(response_date, response_date_precision)) as assessed_on
    from core.response
    where response_date is not null
    group by usubjid, line_number
),
-- The last report on the line before, or a later relapse, that a line known by month or year can follow.
reported as (
    select usubjid, line_number, response_date as reported_on
    from core.response
    where line_number > 0
    union all
    select relapse.usubjid, null, relapse.relapse_date
    from core.relapse as relapse
    inner join index_relapse using (usubjid)
    where relapse.row_id != index_relapse.row_id and relapse.relapse_date > index_relapse.relapse_last_day
),
reported_before as (
    select line.row_id, max(reported.reported_on) as reported_on
    from core.treatment_line as line
    inner join reported
        on line.usubjid = reported.usubjid
        and coalesce(
            reported.line_number = line.line_number - 1,
            -- Of a year it may as well be the end of the line.
            line.line_number > 1 and line.start_date_precision = 'month'
        )
    where
        line.start_date_precision in ('month', 'year')
        and reported.reported_on <= latest_day(line.start_date, line.start_date_precision)
    group by line.row_id
),
bounded as (
    select
        line.usubjid,
        line.row_id,
        line.line_number,
        line.start_date,
        line.start_date_precision,
        line.end_date,
        line.drugs,
        line.bridge_start_date,
        index_relapse.relapse_first_day,
        latest_day(line.start_date, line.start_date_precision) as last_day,
        -- Each line starts after the one before: the second next one leaves two days less, and so on.
        min(latest_day(line.start_date, line.start_date_precision) - line.line_number) over (
            partition by line.usubjid order by line.line_number rows between 1 following and unbounded following
        ) + line.line_number as before_next,
        max(line.start_date - line.line_number) over (
            partition by line.usubjid order by line.line_number rows between unbounded preceding and 1 preceding
        ) + line.line_number as after_previous,
        first_assessment.assessed_on,
        reported_before.reported_on,
        -- A last contact before the month is asked about (DAT-26) and tells nothing about the day.
        least(
            vital.death_last_day,
            case when vital.last_contact_last_day >= line.start_date then vital.last_contact_last_day end,
            export_day.export_on
        ) as last_known_on
    from core.treatment_line as line
    inner join index_relapse using (usubjid)
    left join first_assessment using (usubjid, line_number)
    left join reported_before on line.row_id = reported_before.row_id
    left join vital using (usubjid)
    left join export_day on line.center_id = export_day.center_id
),
imputed as (
    select
        *,
        impute_start(
            start_date,
            start_date_precision,
            -- The day after the report, so that it lies before the line, wherever that can be.
            greatest(
                relapse_first_day,
                after_previous,
                reported_on + coalesce(reported_on < least(before_next, assessed_on, last_known_on), true)::integer
            ),
            least(before_next, assessed_on, last_known_on)
        ) as imputed_on
    from bounded
    where start_date is not null
)
select
    usubjid,
    row_id,
    line_number,
    -- Lines of one month follow each other too, as far as their months allow.
    case
        when start_date_precision in ('month', 'year') then least(
            last_day,
            max(imputed_on - line_number) over (
                partition by usubjid order by line_number rows between unbounded preceding and current row
            ) + line_number
        )
        else imputed_on
    end as start_date,
    imputed_flag(start_date, start_date_precision) as start_flag,
    end_date,
    drugs,
    bridge_start_date
from imputed
-- Rule DAT-15: treatment may precede the confirmation of the relapse by up to 30 days.
where last_day >= relapse_first_day - 30
