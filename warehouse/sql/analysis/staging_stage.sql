-- temp.staging_stage
-- Grain:   one row per patient and time point of core.risk: the stages as reported and the stages that
--          the measurements of that time point leave possible. A stage is derived if only one is left.
--          ISS: I with b2m < 3.5 mg/L and albumin >= 35 g/L, III with b2m >= 5.5 mg/L, else II.
--          R-ISS: I with ISS I, LDH not above its limit and none of del(17p), t(4;14), t(14;16);
--          III with ISS III and one of the two; else II. Validated for newly diagnosed disease.
-- Reads:   core.risk.
-- Feeds:   temp.staging_chosen.
create or replace temp table staging_stage as
with measured as (
    select
        *,
        case timepoint when 'BEFORE_CART' then 1 when 'UNKNOWN' then 2 when 'RELAPSE' then 3 else 4 end as choice,
        is_below(b2m, b2m_comparator, 3.5) as b2m_low,
        not is_below(b2m, b2m_comparator, 5.5) as b2m_high,
        is_below(albumin, albumin_comparator, 35) as albumin_low,
        is_above(ldh, ldh_comparator, ldh_uln) as ldh_high,
        is_yes(del_17p) or is_yes(t_4_14) or is_yes(t_14_16) as fish_high
    from core.risk
),
iss_left as (
    select
        *,
        b2m_low is distinct from false and albumin_low is distinct from true as iss_1,
        (b2m_low is distinct from true and b2m_high is distinct from true)
        or (b2m_low is distinct from false and albumin_low is distinct from false) as iss_2,
        b2m_high is distinct from false as iss_3,
        ldh_high is distinct from false or fish_high is distinct from false as adverse_possible,
        ldh_high is distinct from true and fish_high is distinct from true as favorable_possible
    from measured
),
stages as (
    select
        *,
        list_filter(['I', 'II', 'III'], lambda stage: case stage when 'I' then iss_1 when 'II' then iss_2 else iss_3 end)
            as iss_possible,
        list_filter(
            ['I', 'II', 'III'],
            lambda stage: case stage
                when 'I' then iss_1 and favorable_possible
                when 'II' then iss_2 or (iss_1 and adverse_possible) or (iss_3 and favorable_possible)
                else iss_3 and adverse_possible
            end
        ) as r_iss_possible
    from iss_left
)
select
    usubjid,
    row_id,
    timepoint,
    choice,
    iss,
    r_iss,
    case when len(iss_possible) = 1 then iss_possible[1] end as iss_derived,
    array_to_string(iss_possible, '/') as iss_possible,
    case when len(r_iss_possible) = 1 then r_iss_possible[1] end as r_iss_derived,
    array_to_string(r_iss_possible, '/') as r_iss_possible
from stages
