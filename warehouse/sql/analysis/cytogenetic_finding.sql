-- temp.cytogenetic_finding
-- Grain:   one row per patient: each abnormality up to CAR-T as a boolean. True if found at any time
--          point, false if tested and never found, null if never tested or known. Rows at relapse after
--          CAR-T do not count. The two clauses that need measured numbers stay open as long as one
--          time point leaves them open.
-- Reads:   core.risk.
-- Feeds:   temp.cytogenetic_risk.
create or replace temp table cytogenetic_finding as
with tested as (
    select
        *,
        is_yes(del_17p) or is_yes(tp53_mutation) as has_tp53,
        is_below(del_17p_share, del_17p_share_comparator, 20) as small_clone,
        not is_below(b2m, b2m_comparator, 5.5) as b2m_high,
        is_below(creatinine, creatinine_comparator, 1.2) as creatinine_low
    from core.risk
    where timepoint is distinct from 'RELAPSE'
),
clauses as (
    select
        *,
        case
            when has_tp53 and not small_clone then true
            -- A small clone of the one does not say how large the other is that nobody tested.
            when has_tp53 and small_clone and is_yes(del_17p) is not null and is_yes(tp53_mutation) is not null then false
            when not has_tp53 then false
        end as tp53_clone,
        has_tp53 and tp53_clone is null as tp53_open,
        b2m_high and creatinine_low as high_b2m,
        (b2m_high and creatinine_low) is null and (b2m is not null or creatinine is not null) as b2m_open
    from tested
)
select
    usubjid,
    bool_or(is_yes(del_17p)) as del_17p,
    bool_or(is_yes(t_4_14)) as t_4_14,
    bool_or(is_yes(t_14_16)) as t_14_16,
    bool_or(is_yes(t_14_20)) as t_14_20,
    bool_or(is_yes(gain_1q)) as gain_1q,
    bool_or(is_yes(del_1p)) as del_1p,
    bool_or(is_yes(del_1p_biallelic)) as del_1p_biallelic,
    bool_or(is_yes(tp53_mutation)) as tp53_mutation,
    case when bool_or(tp53_clone) then true when bool_or(tp53_open) then null else bool_or(tp53_clone) end as tp53_clone,
    case when bool_or(high_b2m) then true when bool_or(b2m_open) then null else bool_or(high_b2m) end as high_b2m,
    bool_or(is_yes(high_risk_cytogenetics)) as reported
from clauses
group by usubjid
