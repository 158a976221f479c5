-- temp.risk_reported
-- Grain:   one row per patient: R-ISS and MyCARe as reported, before CAR-T if there is such a row.
--          Not known where a row that is held back may be the one that decides.
-- Reads:   core.risk, temp.held_risk.
-- Feeds:   RISS, RISSTPT, MYCARE.
create or replace temp table risk_reported as
with ranked as (
    select
        *,
        case timepoint when 'BEFORE_CART' then 1 when 'UNKNOWN' then 2 when 'RELAPSE' then 3 else 4 end as choice
    from core.risk
),
chosen as (
    select
        usubjid,
        arg_min(struct_pack(r_iss, timepoint, choice), (choice, row_id)) filter (where r_iss is not null) as by_stage,
        arg_min(struct_pack(mycare, choice), (choice, row_id)) filter (where mycare is not null) as by_score
    from ranked
    group by usubjid
)
select
    usubjid,
    case when coalesce(held_risk.choice > by_stage.choice, true) then by_stage.r_iss end as riss,
    case when coalesce(held_risk.choice > by_stage.choice, true) then by_stage.timepoint end as risstpt,
    case when coalesce(held_risk.choice > by_score.choice, true) then by_score.mycare end as mycare
from chosen
left join held_risk using (usubjid)
