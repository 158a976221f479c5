-- temp.last_alive
-- Grain:   one row per patient of the cohort: the last day known alive, and what tells it. An imputed day of the
--          salvage, and of a next line or response known by month is itself a day on which the patient was alive,
--          so no event or response lies after the end of the follow-up for want of a day.
-- Reads:   temp.timeline, temp.salvage_response.
-- Feeds:   LSTALVDT, censoring.
create or replace temp table last_alive as
with seen as (
    select usubjid, alive_on as day, alive_flag as flag, alive_domain as domain, 1 as choice from timeline
    union all
    select usubjid, trtsdt, start_flag, alive_domain, 2 from timeline
    union all
    select usubjid, next_line_on, next_line_flag, 'TREATMENT_LINE', 3 from timeline where next_line_flag = 'D'
    union all
    select usubjid, adt, adtf, 'RESPONSE', 4 from salvage_response where adtf = 'D'
),
latest as (
    select seen.usubjid, arg_min(seen, (-epoch(seen.day), seen.choice)) as told
    from seen
    inner join timeline using (usubjid)
    -- What an open date would put behind the death is no evidence of life.
    where seen.day is not null and (seen.choice <= 2 or timeline.dthdt is null or seen.day <= timeline.dthdt)
    group by seen.usubjid
)
select
    latest.usubjid,
    least(told.day, timeline.dthdt) as lstalvdt,
    case when told.day > timeline.dthdt then timeline.dthdtf else told.flag end as lstalvdtf,
    told.domain as alive_domain
from latest
inner join timeline using (usubjid)
