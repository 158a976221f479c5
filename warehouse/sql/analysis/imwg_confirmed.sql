-- analysis.confirmed_response
-- Grain:   one row per patient, line and day with a reported response and a complete date (the worst of
--          the day).
-- Reads:   temp.imwg_confirmed, core.response.
-- Feeds:   analysis.confirmed_best.
create or replace table analysis.confirmed_response as
select
    response.usubjid,
    response.line_number,
    response.response_date as assessed_on,
    confirmed.response_row_id,
    response.category as reported,
    response.progression_basis,
    confirmed.confirmed_category,
    confirmed.confirmation,
    confirmed.confirmation_days,
    confirmed.warning,
    case when confirmed.is_before_new_line then 'Y' end as ANL02FL,
    case when confirmed.is_until_progression then 'Y' end as ANL03FL
from imwg_confirmed as confirmed
inner join core.response as response on confirmed.response_row_id = response.row_id
order by response.usubjid, response.line_number, response.response_date
