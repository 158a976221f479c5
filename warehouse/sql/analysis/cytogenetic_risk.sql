-- temp.cytogenetic_risk
-- Grain:   one row per patient with a row in core.risk up to CAR-T: high risk under three definitions. Y if
--          what was found suffices, N only if everything that could make it high risk was tested and
--          not found, else null: not tested is never standard risk.
--          HRCYTO   del(17p), t(4;14), t(14;16) (R-ISS).
--          HRCYEXT  also t(14;20), gain or amplification of 1q, del(1p), TP53 mutation.
--          HRCYIMS  IMS/IMWG 2025: del(17p) or TP53 mutation in 20 % of the cells or more; or t(4;14), t(14;16)
--                   or t(14;20) with 1q gain or del(1p); or del(1p) with 1q gain; or biallelic del(1p);
--                   or b2m >= 5.5 mg/L with creatinine < 1.2 mg/dL. del(1p) is taken for del(1p32).
--          A row that is held back leaves open what was not found.
-- Reads:   temp.cytogenetic_finding, temp.held_risk.
-- Feeds:   HRCYTO, HRCYEXT, HRCYIMS, HRCYREP, HRCYDIF, temp.staging_mycare.
create or replace temp table cytogenetic_risk as
with found as (
    select
        usubjid,
        reported,
        del_17p or t_4_14 or t_14_16 as by_r_iss,
        del_17p or t_4_14 or t_14_16 or t_14_20 or gain_1q or del_1p or tp53_mutation as by_extended,
        tp53_clone
        or ((t_4_14 or t_14_16 or t_14_20) and (gain_1q or del_1p))
        or (del_1p and (gain_1q or del_1p_biallelic))
        or high_b2m as by_ims_2025
    from cytogenetic_finding
),
judged as (
    select
        usubjid,
        case when held_risk.choice_before is null then reported else nullif(reported, false) end as reported,
        case when held_risk.choice_before is null then by_r_iss else nullif(by_r_iss, false) end as by_r_iss,
        case when held_risk.choice_before is null then by_extended else nullif(by_extended, false) end as by_extended,
        case when held_risk.choice_before is null then by_ims_2025 else nullif(by_ims_2025, false) end as by_ims_2025
    from found
    left join held_risk using (usubjid)
)
select
    usubjid,
    case when by_r_iss then 'Y' when not by_r_iss then 'N' end as hrcyto,
    case when by_extended then 'Y' when not by_extended then 'N' end as hrcyext,
    case when by_ims_2025 then 'Y' when not by_ims_2025 then 'N' end as hrcyims,
    case when reported then 'Y' when not reported then 'N' end as hrcyrep,
    case when reported != by_r_iss then 'Y' when reported = by_r_iss then 'N' end as hrcydif
from judged
