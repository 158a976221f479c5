-- temp.first_response
-- Grain:   one row per patient with a dated response of PR or better to the first salvage.
-- Reads:   temp.analysed_response, temp.timeline, temp.setting.
-- Feeds:   the start of RSD; `source` is BEST where only the date of the best response is known,
--          DERIVED where measurements are analysed.
create or replace temp table first_response as
with responded as (
    select
        analysed_response.usubjid,
        arg_min(
            analysed_response,
            (analysed_response.adt, analysed_response.kind = 'BEST', analysed_response.row_id)
        ) as first
    from analysed_response
    inner join timeline using (usubjid)
    cross join setting
    where
        analysed_response.is_first_salvage
        and (
            analysed_response.is_in_course
            or setting.best_response_window in ('until_next_line', 'any_time')
        )
        and analysed_response.category in ('sCR', 'CR', 'VGPR', 'PR')
        and analysed_response.adt >= timeline.trtsdt
    group by analysed_response.usubjid
)
select
    usubjid,
    first.adt as responded_on,
    first.adtf as responded_flag,
    first.row_id as row_id,
    case when first.domain != 'RESPONSE' then 'DERIVED' when first.kind = 'BEST' then 'BEST' else 'ASSESSMENT' end as source,
    first.domain as domain
from responded
