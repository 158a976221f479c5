-- temp.response_confirmed (setting response_analysed: reported)
-- Grain:   one row per patient, line and day with a reported response and a complete date (the worst of
--          the day), and what the next report makes of it.
-- Reads:   temp.imwg_confirmed, core.response.
-- Feeds:   COVR and CBOR of analysis.adrs.
create or replace temp table response_confirmed as
select
    response.usubjid,
    response.line_number,
    response.response_date as adt,
    confirmed.response_row_id as row_id,
    confirmed.confirmed_category,
    confirmed.confirmation,
    confirmed.confirmation_days,
    confirmed.warning,
    'RESPONSE' as domain
from imwg_confirmed as confirmed
inner join core.response as response on confirmed.response_row_id = response.row_id
