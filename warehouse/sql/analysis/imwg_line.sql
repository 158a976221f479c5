-- analysis.imwg_line
-- Grain:   one row per patient and line with an assessment after its baseline that has measurements.
--          Best responses reach to the first progression and the next line, both included.
-- Reads:   temp.imwg_best, core.response, temp.imwg_depth.
-- Feeds:   nothing; beside the reported best response, which stays what is analysed.
create or replace table analysis.imwg_line as
with reported as (
    select usubjid, line_number, arg_max(response.category, (place, -row_id)) as category
    from core.response as response
    left join imwg_depth on response.category::varchar = imwg_depth.category
    where kind = 'BEST'
    group by usubjid, line_number
)
select
    derived.patient_id as usubjid,
    derived.line_number,
    derived.kind as measurable,
    derived.n_assessments,
    reported.category as reported_best,
    derived.best,
    derived.best_on,
    derived.best_confirmed,
    derived.best_confirmed_on,
    derived.pd_on,
    derived.confirmed_pd_on
from imwg_best as derived
left join reported on derived.patient_id = reported.usubjid and derived.line_number = reported.line_number
order by usubjid, derived.line_number
