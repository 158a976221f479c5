-- temp.imwg_reported
-- Grain:   one row per patient, line and day with a reported response: the worst of the day, not
--          evaluable last. Reports without a complete date have no place in the course.
-- Reads:   core.response, temp.imwg_period.
-- Feeds:   transforms/derive/imwg/reported.py, temp.response_confirmed.
create or replace temp table imwg_reported as
select
    response.usubjid as patient_id,
    response.line_number,
    response.response_date as assessed_on,
    response.row_id as response_row_id,
    response.category::varchar as category,
    response.progression_basis::varchar as progression_basis,
    period.next_line_on
from core.response as response
left join imwg_period as period using (usubjid, line_number)
where
    response.kind != 'BEST'
    and response.category is not null
    and response.response_date is not null
    and coalesce(response.response_date_precision, 'day') = 'day'
qualify row_number() over (
    partition by response.usubjid, response.line_number, response.response_date
    order by
        list_position(['PD', 'LTPR', 'SD', 'MR', 'PR', 'VGPR', 'CR', 'sCR', 'NE'], response.category::varchar),
        response.row_id
) = 1
order by response.usubjid, response.line_number, response.response_date
