-- center_units
-- Grain:   center and laboratory test.
-- Reads:   core.lab.
-- Feeds:   AUD-33.
-- The median of a center against the median of the other centers' medians, as a ratio. Hemoglobin, albumin and
-- calcium vary little among patients: there mmol/L read as g/dL (1.6), or corrected calcium in mg/dL (4), shows. Of
-- the others only a factor that no case mix explains is told: mg/dL for mg/L (10), umol/L for mg/dL (88). M-protein and
-- light chains are not judged: the type of myeloma decides them. Without others it is judged by what is
-- possible: no center has half of its patients at 8 g/dL or below, and nobody above what is normal in mmol/L.
with middle as (
    select center_id::varchar as center_id, test::varchar as test,
        count(value) as n, median(value) as middle, max(value) as highest
    from core.lab
    where test in ('HB', 'ALBUMIN', 'CALCIUM', 'CREATININE', 'B2M', 'LDH')
    group by all
    having count(value) >= {values}
),
against as (
    select mine.*, count(o.middle) as n_others, median(o.middle) as others
    from middle as mine
    left join middle as o on o.test = mine.test and o.center_id <> mine.center_id
    group by all
),
apart as (
    select *, greatest(middle / others, others / middle) as ratio
    from against
)
select
    center_id,
    test as variable,
    n::bigint as n,
    n_others::bigint as n_others,
    round(ratio, 2) as ratio,
    (
        coalesce(
            n_others >= {others}
            and ratio > case when test in ('HB', 'ALBUMIN', 'CALCIUM') then {near} else {far} end,
            false
        )
        or (n_others < {others} and test = 'HB' and middle <= 8 and highest <= 11.2)
    )::int as n_bad,
    n_bad > 0 as bad
from apart
order by center_id, variable
