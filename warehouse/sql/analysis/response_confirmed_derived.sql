-- temp.response_confirmed (setting response_analysed: derived)
-- Grain:   one row per patient, line and day whose category was derived, and what the next one makes of it.
-- Reads:   temp.imwg_assessed.
-- Feeds:   COVR and CBOR of analysis.adrs.
create or replace temp table response_confirmed as
select
    patient_id as usubjid,
    line_number,
    assessed_on as adt,
    response_row_id as row_id,
    confirmed_category,
    confirmation,
    confirmation_days,
    warning,
    'IMWG_RESPONSE' as domain
from imwg_assessed
where category is not null
