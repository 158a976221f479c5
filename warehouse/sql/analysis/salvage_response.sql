-- temp.salvage_response
-- Grain:   one row per reported response of the first salvage or a later line, with its day imputed.
-- Reads:   core.response, temp.timeline.
-- Feeds:   temp.progression, temp.analysed_response, temp.endpoint_base.
create or replace temp table salvage_response as
select
    response.usubjid,
    response.row_id,
    response.line_number,
    response.line_number = timeline.line_number as is_first_salvage,
    response.kind,
    response.category,
    response.kind = 'PROGRESSION' or response.category = 'PD' as is_progression,
    case response.category
        when 'sCR' then 7 when 'CR' then 6 when 'VGPR' then 5 when 'PR' then 4
        when 'MR' then 3 when 'SD' then 2 when 'LTPR' then 1.5 when 'PD' then 1
    end as depth,
    case
        when response.kind = 'PROGRESSION' or response.category = 'PD'
            then impute_event(
                response.response_date, response.response_date_precision, timeline.trtsdt, timeline.dthdt
            )
        else impute_start(
            response.response_date, response.response_date_precision, timeline.trtsdt, timeline.dthdt
        )
    end as adt,
    imputed_flag(response.response_date, response.response_date_precision) as adtf,
    response.progression_basis,
    response.confirmed
from core.response as response
inner join timeline using (usubjid)
where response.line_number >= timeline.line_number
