-- temp.progression
-- Grain:   one row per patient of the cohort with a progression after the start of the first salvage, or
--          one that is held back or has no place in time.
--          A progression recorded under a later line, or as a later relapse, is the event only where it
--          comes first: a new therapy without progression does not end the clock. The date of a best
--          response that is progression counts only for a line without any other date of progression.
--          What a check holds back is no event and is counted: without another progression nobody can
--          say that there was none.
-- Reads:   temp.salvage_response, core.relapse, temp.timeline, temp.held_progression.
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
recorded as (
    select usubjid, adt as day, adtf as day_flag, row_id, 'RESPONSE' as domain, 'response_date' as variable,
        is_first_salvage, 1 as choice, case when kind = 'BEST' then 'RESP' else 'PD' end as source,
        progression_basis::varchar as basis, confirmed::varchar as confirmed
    from reported
    where kind != 'BEST' or not is_line_dated
    union all
    select
        relapse.usubjid,
        impute_event(relapse.relapse_date, relapse.relapse_date_precision, timeline.trtsdt + 1, timeline.dthdt),
        imputed_flag(relapse.relapse_date, relapse.relapse_date_precision),
        relapse.row_id,
        'RELAPSE',
        'relapse_date',
        false,
        2,
        'RELAPSE',
        relapse.basis::varchar,
        null
    from core.relapse as relapse
    inner join timeline using (usubjid)
    inner join index_relapse using (usubjid)
    where
        relapse.row_id != index_relapse.row_id
        and latest_day(relapse.relapse_date, relapse.relapse_date_precision) > timeline.trtsdt
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
        count(*) filter (where recorded.day is null and recorded.is_first_salvage) as n_undated,
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
