-- temp.extramedullary_before
-- Grain:   one row per patient with a lesion or a risk row up to CAR-T: extramedullary disease before CAR-T
--          and plasma cell leukemia. Neither is ever taken from the relapse, nor one from the other.
--          Extraosseous and CNS lesions come first, then the reported flag; where neither is there, listed
--          lesions that are all para-osseous or intramedullary are N. The row before CAR-T decides; another
--          time point helps out where it says nothing. Plasma cell leukemia counts once it was found.
--          What is held back leaves open what it may change.
-- Reads:   core.lesion, core.risk, temp.held_row, temp.held_risk.
-- Feeds:   EMDBLFL, EMDBLSRC, PCLFL, temp.staging_mycare.
create or replace temp table extramedullary_before as
with lesions as (
    select
        usubjid,
        count(*) filter (where category in ('EXTRAOSSEOUS', 'CNS')) as n_extra,
        count(*) filter (where category = 'UNKNOWN' or category is null) as n_unknown
    from core.lesion
    where timepoint = 'BEFORE_CART'
    group by usubjid
),
reported as (
    select
        usubjid,
        arg_min(
            is_yes(emd_before_car_t),
            (case timepoint when 'BEFORE_CART' then 1 when 'UNKNOWN' then 2 else 3 end, emd_before_car_t = 'N')
        ) filter (where emd_before_car_t in ('Y', 'N')) as emd,
        min(case timepoint when 'BEFORE_CART' then 1 when 'UNKNOWN' then 2 else 3 end)
            filter (where emd_before_car_t in ('Y', 'N')) as choice,
        bool_or(is_yes(plasma_cell_leukemia)) as leukemia
    from core.risk
    where timepoint is distinct from 'RELAPSE'
    group by usubjid
),
held_lesion as (
    select distinct usubjid
    from held_row
    where
        held_table = 'lesion'
        and coalesce(topic in ('BEFORE_CART', 'UNKNOWN'), true)
        and coalesce(value in ('EXTRAOSSEOUS', 'CNS', 'UNKNOWN'), true)
),
known as (
    select
        usubjid,
        lesions.n_extra,
        lesions.n_unknown,
        reported.emd,
        reported.leukemia,
        held_risk.choice_before is not null as is_risk_held,
        -- The held row may be the one that decides.
        coalesce(held_risk.choice_before <= coalesce(reported.choice, 3), false) as is_report_open,
        held_lesion.usubjid is not null as is_lesion_held
    from lesions
    full join reported using (usubjid)
    left join held_risk using (usubjid)
    left join held_lesion using (usubjid)
)
select
    usubjid,
    case
        when n_extra > 0 then 'Y'
        when is_report_open then null
        when emd then 'Y'
        when is_lesion_held then null
        when not emd or n_unknown = 0 then 'N'
    end as emdblfl,
    case
        when n_extra > 0 then 'LESION'
        when is_report_open or (is_lesion_held and emd is distinct from true) then 'HELD'
        when emd is not null then 'REPORTED'
        when n_unknown = 0 then 'LESION'
    end as emdblsrc,
    case when leukemia then 'Y' when not leukemia and not is_risk_held then 'N' end as pclfl
from known
