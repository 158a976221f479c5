-- temp.extramedullary_before
-- Grain:   one row per patient with a lesion or a risk row up to CAR-T: extramedullary disease before CAR-T
--          and plasma cell leukemia. Neither is ever taken from the relapse, nor one from the other.
--          Extraosseous and CNS lesions come first, then the reported flag; where neither is there, listed
--          lesions that are all para-osseous or intramedullary are N. The row before CAR-T decides; another
--          time point helps out where it says nothing. Plasma cell leukemia counts once it was found.
-- Reads:   core.lesion, core.risk.
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
        bool_or(is_yes(plasma_cell_leukemia)) as leukemia
    from core.risk
    where timepoint is distinct from 'RELAPSE'
    group by usubjid
)
select
    usubjid,
    case
        when lesions.n_extra > 0 or reported.emd then 'Y'
        when not reported.emd or lesions.n_unknown = 0 then 'N'
    end as emdblfl,
    case
        when lesions.n_extra > 0 then 'LESION'
        when reported.emd is not null then 'REPORTED'
        when lesions.n_unknown = 0 then 'LESION'
    end as emdblsrc,
    case when reported.leukemia then 'Y' when not reported.leukemia then 'N' end as pclfl
from lesions
full join reported using (usubjid)
