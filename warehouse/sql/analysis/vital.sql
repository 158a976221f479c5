-- temp.vital
-- Grain:   one row per patient with follow-up: the newest row where several deliveries were added up.
-- Reads:   core.follow_up.
-- Feeds:   DTHFL, DTHDT, LSTALVDT, censoring.
create or replace temp table vital as
select
    usubjid,
    row_id,
    vital_status,
    last_contact_date,
    last_contact_date_precision,
    latest_day(last_contact_date, last_contact_date_precision) as last_contact_last_day,
    death_date as death_first_day,
    latest_day(death_date, death_date_precision) as death_last_day,
    death_date_precision,
    death_cause
from core.follow_up
qualify row_number() over (
    partition by usubjid
    order by death_date desc nulls last, last_contact_date desc nulls last, row_id
) = 1
