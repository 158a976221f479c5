-- temp.toxicity_index
-- Grain:   one row per patient of the cohort with a CRS or ICANS record: the highest grade after the first
--          infusion and before the first salvage, and the scale of that grade. Grades of different scales are not
--          compared: ASTCT 2019 comes first, then the scale that has records, in the order of the codelist, then
--          a scale that is not stated. A higher event that may belong to the salvage leaves the grade unknown, and so
--          does one that is held back: its grade may be the highest.
-- Reads:   temp.toxicity_period, temp.held_toxicity.
-- Feeds:   CRSGR, CRSSCL, CRSSRC, ICANSGR, ICANSSCL, ICANSSRC, CRSSLVGR, CRSSLVSC.
create or replace temp table toxicity_index as
with by_scale as (
    select
        usubjid,
        kind,
        case when period = 'SALVAGE' then 'SALVAGE' else 'INFUSION' end as part,
        scale,
        max(grade) filter (where period in ('INFUSION', 'NONE', 'SALVAGE')) as grade,
        bool_or(period = 'INFUSION') as is_dated,
        -- One that is no higher than a dated grade of its scale leaves the highest as it is.
        coalesce(
            max(grade) filter (where period = 'UNDATED' and grade > 0)
            > max(grade) filter (where period in ('INFUSION', 'NONE', 'SALVAGE')),
            bool_or(period = 'UNDATED' and grade > 0)
        ) as is_open
    from toxicity_period
    where period in ('NONE', 'UNDATED', 'SALVAGE') or infusion_number = 1
    group by all
),
judged as (
    select
        *,
        bool_or(is_open) over (partition by usubjid, kind, part) as any_open
    from by_scale
),
chosen as (
    select
        usubjid,
        kind,
        part,
        case when not any_open then grade end as grade,
        case when not any_open then scale end as scale,
        case when any_open then 'UNDATED' when is_dated then 'DATED' else 'NONE' end as source
    from judged
    qualify row_number() over (
        partition by usubjid, kind, part
        order by
            case scale when 'ASTCT2019' then 1 when 'LEE2014' then 2 when 'PENN' then 3 when 'CTCAE' then 4 else 5 end
    ) = 1
),
told as (
    select
        usubjid,
        kind,
        part,
        case when held_toxicity.kind is null then chosen.grade end as grade,
        case when held_toxicity.kind is null then chosen.scale end as scale,
        case when held_toxicity.kind is null then chosen.source else 'HELD' end as source
    from chosen
    full join (from held_toxicity where part in ('INFUSION', 'SALVAGE')) as held_toxicity using (usubjid, kind, part)
)
select
    usubjid,
    any_value(grade) filter (where kind = 'CRS' and part = 'INFUSION') as crsgr,
    any_value(scale) filter (where kind = 'CRS' and part = 'INFUSION') as crsscl,
    any_value(source) filter (where kind = 'CRS' and part = 'INFUSION') as crssrc,
    any_value(grade) filter (where kind = 'ICANS' and part = 'INFUSION') as icansgr,
    any_value(scale) filter (where kind = 'ICANS' and part = 'INFUSION') as icansscl,
    any_value(source) filter (where kind = 'ICANS' and part = 'INFUSION') as icanssrc,
    any_value(grade) filter (where kind = 'CRS' and part = 'SALVAGE') as crsslvgr,
    any_value(scale) filter (where kind = 'CRS' and part = 'SALVAGE') as crsslvsc
from told
group by usubjid
