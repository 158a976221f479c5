-- analysis.adrs
-- Grain:   one row per reported response after the start of the first salvage (OVR), and one best
--          response per patient of the cohort (BOR).
-- Reads:   temp.salvage_response, temp.best_response, analysis.adsl.
-- Feeds:   display F1A, SRCSEQ of analysis.adtte.
create or replace table analysis.adrs as
select
    adsl.STUDYID,
    adsl.USUBJID,
    'OVR' as PARAMCD,
    'Response at a time point' as PARAM,
    salvage_response.adt as ADT,
    salvage_response.adtf as ADTF,
    response_value.aval as AVAL,
    salvage_response.category as AVALC,
    case
        when
            salvage_response.adt is not null
            and row_number() over (
                partition by adsl.USUBJID, salvage_response.line_number, salvage_response.adt
                order by salvage_response.depth nulls last, salvage_response.row_id
            ) = 1
            then 'Y'
    end as ANL01FL,
    salvage_response.line_number as SALVN,
    'RESPONSE' as SRCDOM,
    'category' as SRCVAR,
    salvage_response.row_id as SRCSEQ
from salvage_response
inner join analysis.adsl as adsl using (usubjid)
left join response_value using (category)
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
order by 2, 3, 10, 5 nulls last, 13
