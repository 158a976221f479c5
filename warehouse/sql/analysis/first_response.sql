-- temp.first_response
-- Grain:   one row per patient with a dated response of PR or better to the first salvage.
-- Reads:   temp.salvage_response, temp.timeline.
-- Feeds:   the start of RSD; `source` is BEST where only the date of the best response is known.
create or replace temp table first_response as
with responded as (
    select
        salvage_response.usubjid,
        arg_min(
            salvage_response,
            (salvage_response.adt, salvage_response.kind = 'BEST', salvage_response.row_id)
        ) as first
    from salvage_response
    inner join timeline using (usubjid)
    where
        salvage_response.is_first_salvage
        and salvage_response.category in ('sCR', 'CR', 'VGPR', 'PR')
        and salvage_response.adt >= timeline.trtsdt
    group by salvage_response.usubjid
)
select
    usubjid,
    first.adt as responded_on,
    first.adtf as responded_flag,
    first.row_id as row_id,
    case first.kind when 'BEST' then 'BEST' else 'ASSESSMENT' end as source
from responded
