-- analysis.imwg_response
-- Grain:   one row per patient, line and day after the line's baseline with measurements, and one per
--          reported response with measurements that has no category (baseline, day not known).
-- Reads:   temp.imwg_assessed, core.response, temp.imwg_depth.
-- Feeds:   analysis.imwg_line, analysis.response_agreement.
create or replace table analysis.imwg_response as
select
    assessed.patient_id as usubjid,
    assessed.line_number,
    assessed.assessed_on,
    response.row_id as response_row_id,
    response.kind as reported_kind,
    response.category as reported,
    assessed.category,
    case when reported_depth.depth > 0 and derived_depth.depth > 0 then derived_depth.depth - reported_depth.depth end
        as difference,
    assessed.kind as measurable,
    assessed.criterion,
    assessed.missing,
    assessed.pd_basis,
    assessed.measure,
    assessed.baseline_value,
    assessed.value,
    assessed.nadir,
    assessed.change_percent,
    assessed.rise,
    assessed.confirmed_category,
    assessed.confirmation,
    assessed.confirmation_days,
    assessed.warning,
    assessed.criteria
from imwg_assessed as assessed
left join core.response as response on assessed.response_row_id = response.row_id
left join imwg_depth as reported_depth on response.category::varchar = reported_depth.category
left join imwg_depth as derived_depth on assessed.category = derived_depth.category
where assessed.category is not null or response.row_id is not null
order by usubjid, line_number, assessed_on, response_row_id
