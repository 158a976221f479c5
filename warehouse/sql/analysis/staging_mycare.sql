-- temp.staging_mycare
-- Grain:   one row per patient with an index infusion: MyCARe from its four factors before CAR-T, one point
--          each: EMD or plasma cell leukemia, lenalidomide-refractory, high-risk cytogenetics (HRCYTO),
--          ferritin raised at lymphodepletion. 0-1 low, 2-3 intermediate, 4 high; derived only if every
--          completion of the factors that are not known gives one category.
-- Reads:   temp.index_infusion, temp.extramedullary_before, temp.refractory, temp.cytogenetic_risk,
--          temp.staging_ferritin, temp.risk_reported.
-- Feeds:   MYCARED, MYCAREDP, MYCLOW, MYCHIGH, MYCDIF.
create or replace temp table staging_mycare as
with factors as (
    select
        index_infusion.usubjid,
        risk_reported.mycare as reported,
        [
            is_yes(extramedullary_before.emdblfl) or is_yes(extramedullary_before.pclfl),
            is_yes(refractory.lenrefl),
            is_yes(cytogenetic_risk.hrcyto),
            staging_ferritin.is_raised
        ] as factor
    from index_infusion
    left join extramedullary_before using (usubjid)
    left join refractory using (usubjid)
    left join cytogenetic_risk using (usubjid)
    left join staging_ferritin using (usubjid)
    left join risk_reported using (usubjid)
),
scored as (
    select
        *,
        len(list_filter(factor, lambda point: point is not distinct from true)) as lowest,
        len(list_filter(factor, lambda point: point is distinct from false)) as highest
    from factors
),
possible as (
    select
        *,
        list_filter(
            ['LOW', 'INTERMEDIATE', 'HIGH'],
            lambda category: case category
                when 'LOW' then lowest <= 1
                when 'INTERMEDIATE' then lowest <= 3 and highest >= 2
                else highest = 4
            end
        ) as categories
    from scored
)
select
    usubjid,
    case when len(categories) = 1 then categories[1] end as mycared,
    array_to_string(categories, '/') as mycaredp,
    lowest::integer as myclow,
    highest::integer as mychigh,
    case
        when reported is null then null
        when not list_contains(categories, reported::varchar) then 'Y'
        when len(categories) = 1 then 'N'
    end as mycdif
from possible
