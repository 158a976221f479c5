-- center_days
-- Grain:   center and span: days from one date to the next.
-- Reads:   analysis.adsl, analysis.adtte.
-- Feeds:   AUD-32.
-- The median days of a center against the medians of the other centers: how many robust standard deviations
-- (of those medians, and of the center's own one) it is away. Told where it is many and the days are far apart, too.
-- Centers with few patients are not judged, nor a span that few centers can be judged by.
with span as (
    select SITEID::varchar as center_id, 'infusion to relapse' as variable, RELDT - CARTDT as days from analysis.adsl
    union all
    select SITEID::varchar, 'relapse to salvage', TRTSDT - RELDT from analysis.adsl
    union all
    select a.SITEID::varchar, 'salvage to first response', t.AVAL
    from analysis.adtte as t
    join analysis.adsl as a using (USUBJID)
    where t.PARAMCD = 'TTRSP' and t.ANALYSIS = 'PRIMARY' and t.CNSR = 0
),
middle as (
    select
        center_id,
        variable,
        count(*) as n,
        median(days) as days,
        1.2533 * 1.4826 * mad(days) / sqrt(count(*)) as error
    from span
    where days is not null
    group by all
    having count(*) >= {patients}
),
against as (
    select
        mine.*,
        count(*) as n_others,
        median(o.days) as others,
        1.4826 * mad(o.days) as spread
    from middle as mine
    join middle as o on o.variable = mine.variable and o.center_id <> mine.center_id
    group by all
)
select
    center_id,
    variable,
    n::bigint as n,
    n_others::bigint as n_others,
    days as median_days,
    others as others_median_days,
    round(abs(days - others) / nullif(sqrt(spread * spread + error * error), 0), 2) as deviations,
    (
        abs(days - others) > greatest({days}, {apart} * others)
        and abs(days - others) > {deviations} * sqrt(spread * spread + error * error)
    )::int as n_bad,
    n_bad > 0 as bad
from against
where n_others >= {others}
order by center_id, variable
