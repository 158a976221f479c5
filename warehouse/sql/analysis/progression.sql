-- temp.progression
-- Grain:   one row per patient of the cohort with a progression after the start of the first salvage, or
--          one that is held back or has no place in time.
--          A progression recorded under a later line, or as a later relapse, is the event only where it
--          comes first: a new therapy without progression does not end the clock. The date of a best
--          response that is progression counts only for a line without any other date of progression.
--          What a check holds back is no event and is counted: without another progression nobody can
--          say that there was none.
-- Reads:   temp.salvage_response, core.relapse, temp.index_relapse, temp.timeline, temp.held_progression.
-- Feeds:   PFS, RSD, the window of the best response.
create or replace temp table progression as
with reported as (
    select
        *,
        coalesce(bool_or(kind != 'BEST' and adt is not null) over (partition by usubjid, line_number), false)
            as is_line_dated
    from salvage_response
    where is_progression
),
-- The later relapses, and the last response to the first salvage that each can follow.
later as (
    select
        relapse.usubjid,
        relapse.row_id,
        relapse.relapse_date as first_day,
        relapse.relapse_date_precision as day_precision,
        relapse.basis::varchar as basis,
        timeline.trtsdt,
        least(
            timeline.dthdt,
            timeline.export_on,
            case when timeline.last_contact_last_day >= relapse.relapse_date then timeline.last_contact_last_day end
        ) as end_on,
        max(response.adt) as responded_on
    from core.relapse as relapse
    inner join timeline using (usubjid)
    inner join index_relapse using (usubjid)
    left join salvage_response as response
        on relapse.usubjid = response.usubjid
        and response.is_first_salvage
        and not coalesce(response.is_progression, false)
        and response.adt <= latest_day(relapse.relapse_date, relapse.relapse_date_precision)
    where
        relapse.row_id != index_relapse.row_id
        and latest_day(relapse.relapse_date, relapse.relapse_date_precision) > timeline.trtsdt
    group by all
),
-- One that may lie before the start has no place in time; nor has one known by year only.
relapsed as (
    select
        *,
        case
            when first_day > trtsdt and day_precision is distinct from 'year'
                then impute_event(first_day, day_precision, responded_on, end_on)
        end as day,
        imputed_flag(first_day, day_precision) as day_flag,
        day is null as is_open,
        day_precision is not distinct from 'year' as is_year_only
    from later
),
recorded as (
    select usubjid, adt as day, adtf as day_flag, row_id, 'RESPONSE' as domain, 'response_date' as variable,
        is_first_salvage, 1 as choice, case when kind = 'BEST' then 'RESP' else 'PD' end as source,
        progression_basis::varchar as basis, confirmed::varchar as confirmed,
        adt is null and (is_first_salvage or is_before) as is_open, is_year_only, is_before
    from reported
    where kind != 'BEST' or not is_line_dated
    union all
    select usubjid, day, day_flag, row_id, 'RELAPSE', 'relapse_date', false, 2, 'RELAPSE', basis, null, is_open, is_year_only, false
    from relapsed
),
held as (
    select
        held_progression.usubjid,
        count(*) as n_held,
        bool_and(latest_day(held_progression.day, held_progression.day_precision) < timeline.trtsdt) as is_before_start,
        bool_and(held_progression.day > timeline.dthdt) as is_after_death
    from held_progression
    inner join timeline using (usubjid)
    where
        held_progression.line_number >= timeline.line_number
        or (
            held_progression.line_number > 0
            and coalesce(
                latest_day(held_progression.day, held_progression.day_precision) >= timeline.trtsdt
                and held_progression.day is distinct from timeline.reldt,
                true
            )
        )
        -- A relapse between the first one and the salvage is no event of the salvage, held back or not.
        or (
            held_progression.line_number is null
            and not coalesce(
                held_progression.day >= timeline.reldt
                and latest_day(held_progression.day, held_progression.day_precision) <= timeline.trtsdt,
                false
            )
        )
    group by held_progression.usubjid
),
counted as (
    select
        recorded.usubjid,
        count(*) filter (where recorded.is_open) as n_undated,
        count(*) filter (where recorded.is_open and recorded.is_year_only) as n_year_only,
        count(*) filter (where recorded.day < timeline.trtsdt and recorded.is_first_salvage) as n_before_start
    from recorded
    inner join timeline using (usubjid)
    group by recorded.usubjid
),
earliest as (
    select recorded.*
    from recorded
    inner join timeline using (usubjid)
    where recorded.day >= timeline.trtsdt
    qualify row_number() over (
        partition by recorded.usubjid order by recorded.day, recorded.choice, recorded.row_id
    ) = 1
)
select
    usubjid,
    earliest.day as pd_on,
    earliest.day_flag as pd_flag,
    earliest.row_id,
    earliest.domain,
    earliest.variable,
    earliest.source as pd_source,
    earliest.basis as pd_basis,
    earliest.confirmed as pd_confirmed,
    coalesce(counted.n_undated, 0) as n_undated,
    coalesce(counted.n_year_only, 0) as n_year_only,
    coalesce(counted.n_before_start, 0) as n_before_start,
    case
        when held.n_held is null then null
        when held.is_before_start then 'PROGRESSION_BEFORE_START'
        when held.is_after_death then 'PROGRESSION_AFTER_DEATH'
        else 'PROGRESSION_HELD'
    end as held_reason
from counted
full join held using (usubjid)
left join earliest using (usubjid)
