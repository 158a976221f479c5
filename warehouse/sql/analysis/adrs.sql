-- analysis.adrs
-- Grain:   one row per reported response after the start of the first salvage (OVR), and one best
--          response per patient of the cohort (BOR).
-- Reads:   temp.salvage_response, temp.best_response, analysis.adsl.
-- Feeds:   display F1A, SRCSEQ of analysis.adtte.
create or replace table analysis.adrs as
with worst_of_day as (
    select arg_min(row_id, (coalesce(depth, 9), row_id)) as row_id
    from salvage_response
    where adt is not null and kind != 'BEST'
    group by usubjid, line_number, adt
)
select
    adsl.STUDYID,
    adsl.USUBJID,
    'OVR' as PARAMCD,
    'Response at a time point' as PARAM,
    salvage_response.adt as ADT,
    salvage_response.adtf as ADTF,
    response_value.aval as AVAL,
    salvage_response.category as AVALC,
    case when worst_of_day.row_id is not null then 'Y' end as ANL01FL,
    salvage_response.line_number as SALVN,
    'RESPONSE' as SRCDOM,
    'category' as SRCVAR,
    salvage_response.row_id as SRCSEQ
from salvage_response
inner join analysis.adsl as adsl using (usubjid)
left join response_value using (category)
left join worst_of_day on salvage_response.row_id = worst_of_day.row_id
where salvage_response.kind != 'BEST'
union all
select
    adsl.STUDYID,
    adsl.USUBJID,
    'BOR',
    'Best response to the first salvage',
    best_response.adt,
    best_response.adtf,
    response_value.aval,
    coalesce(best_response.category, 'MISSING'),
    'Y',
    adsl.SALVLN,
    case when best_response.row_id is not null then 'RESPONSE' end,
    case when best_response.row_id is not null then 'category' end,
    best_response.row_id
from analysis.adsl as adsl
left join best_response using (usubjid)
left join response_value using (category)
