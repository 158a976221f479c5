-- analysis.response_agreement
-- Grain:   one row per line, reported and derived category that occur together at an assessment.
-- Reads:   analysis.imwg_response.
-- Feeds:   nothing; how far reports and measurements agree.
create or replace table analysis.response_agreement as
select
    line_number,
    reported,
    category as derived,
    min(difference) as difference,
    count(*) as n_assessments,
    count(distinct usubjid) as n_patients,
    any_value(criteria) as criteria
from analysis.imwg_response
where reported is not null and category is not null and reported_kind != 'BEST'
group by line_number, reported, category
order by line_number, reported, category
