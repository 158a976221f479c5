-- temp.risk_reported
-- Grain:   one row per patient: R-ISS and MyCARe as reported, before CAR-T if there is such a row.
-- Reads:   core.risk.
-- Feeds:   RISS, RISSTPT, MYCARE.
create or replace temp table risk_reported as
with ranked as (
    select
        *,
        case timepoint when 'BEFORE_CART' then 1 when 'UNKNOWN' then 2 when 'RELAPSE' then 3 else 4 end as choice
    from core.risk
)
select
    usubjid,
    arg_min(r_iss, (choice, row_id)) filter (where r_iss is not null) as riss,
    arg_min(timepoint, (choice, row_id)) filter (where r_iss is not null) as risstpt,
    arg_min(mycare, (choice, row_id)) filter (where mycare is not null) as mycare
from ranked
group by usubjid
