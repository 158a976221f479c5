-- temp.timeline
-- Grain:   one row per patient of the cohort with its dates imputed in the order death, salvage start,
--          relapse, infusion, each inside the window that the earlier ones leave.
-- Reads:   temp.candidate, temp.first_salvage, temp.following_line, temp.held_line, temp.index_relapse, temp.index_infusion, temp.vital,
--          temp.alive_evidence, temp.export_day.
-- Feeds:   analysis.adsl and every later step.
create or replace temp table timeline as
with salvage as (
    select
        candidate.usubjid,
        candidate.center_id,
        first_salvage.* exclude (usubjid, n_salvage),
        following_line.* exclude (usubjid),
        coalesce(held_line.is_later, false) as is_later_line_held,
        coalesce(held_line.is_next, false) as is_next_line_held,
        held_line.next_on as held_line_on,
        case
            when setting.time_zero = 'bridge' then coalesce(first_salvage.bridge_start_date, first_salvage.start_date)
            else first_salvage.start_date
        end as trtsdt
    from candidate
    inner join first_salvage using (usubjid)
    inner join following_line using (usubjid)
    left join held_line using (usubjid)
    cross join setting
    where candidate.reason is null
),
death as (
    select
        salvage.*,
        export_day.export_on,
        vital.last_contact_last_day,
        vital.vital_status,
        vital.death_cause,
        case
            when vital.vital_status = 'DEAD' or vital.death_first_day is not null then 'Y'
            when vital.vital_status in ('ALIVE', 'LOST') then 'N'
        end as dthfl,
        impute_event(
            vital.death_first_day,
            vital.death_date_precision,
            greatest(alive_evidence.alive_on, salvage.trtsdt),
            export_day.export_on
        ) as dthdt,
        imputed_flag(vital.death_first_day, vital.death_date_precision) as dthdtf,
        alive_evidence.alive_on,
        alive_evidence.domain as alive_domain,
        imputed_flag(alive_evidence.alive_on, alive_evidence.day_precision) as alive_flag
    from salvage
    left join vital using (usubjid)
    left join alive_evidence using (usubjid)
    left join export_day using (center_id)
),
relapse as (
    select
        death.*,
        impute_start(
            index_relapse.relapse_first_day,
            index_relapse.relapse_date_precision,
            index_infusion.infusion_first_day + 1,
            least(death.trtsdt, index_relapse.other_last_day)
        ) as reldt,
        imputed_flag(index_relapse.relapse_first_day, index_relapse.relapse_date_precision) as reldtf
    from death
    inner join index_relapse using (usubjid)
    inner join index_infusion using (usubjid)
)
select
    relapse.*,
    impute_start(
        index_infusion.infusion_first_day,
        index_infusion.infusion_date_precision,
        index_infusion.lymphodepletion_date + 1,
        relapse.reldt - 1
    ) as cartdt,
    imputed_flag(index_infusion.infusion_first_day, index_infusion.infusion_date_precision) as cartdtf
from relapse
inner join index_infusion using (usubjid)
