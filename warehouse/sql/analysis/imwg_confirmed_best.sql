-- analysis.confirmed_best
-- Grain:   one row per patient and line with a dated reported response.
--          Best response and best confirmed response of the reports, to the first reported (confirmed:
--          confirmed) progression and the next line, both included.
-- Reads:   analysis.confirmed_response, temp.imwg_depth.
-- Feeds:   nothing; a sensitivity reading beside BESTRESP, which needs no confirmation.
create or replace table analysis.confirmed_best as
select
    confirmed.usubjid,
    confirmed.line_number,
    count(*) as n_assessments,
    arg_max(confirmed.reported::varchar, reported_depth.place) filter (where ANL03FL = 'Y') as best,
    arg_max(confirmed.confirmed_category, confirmed_depth.place) as best_confirmed
from analysis.confirmed_response as confirmed
left join imwg_depth as reported_depth on confirmed.reported::varchar = reported_depth.category
left join imwg_depth as confirmed_depth on confirmed.confirmed_category = confirmed_depth.category
where confirmed.ANL02FL = 'Y'
group by confirmed.usubjid, confirmed.line_number
order by confirmed.usubjid, confirmed.line_number
