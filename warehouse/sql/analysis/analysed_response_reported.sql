-- temp.analysed_response (setting response_analysed: reported)
-- Grain:   one row per reported response of the first salvage or a later line up to the data cut, with its day
--          imputed.
-- Reads:   temp.salvage_response, temp.setting.
-- Feeds:   temp.best_response, temp.first_response, analysis.adrs.
create or replace temp table analysed_response as
select
    usubjid,
    row_id,
    line_number,
    is_first_salvage,
    kind,
    category,
    is_progression,
    depth,
    adt,
    adtf,
    progression_basis::varchar as basis,
    true as is_in_course,
    'RESPONSE' as domain
from salvage_response
cross join setting
where not is_before and (setting.data_cut is null or adt is null or adt <= setting.data_cut)
