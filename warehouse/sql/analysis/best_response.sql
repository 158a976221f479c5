-- temp.best_response
-- Grain:   one row per patient of the cohort with a response of the first salvage.
--          The best response that the center reported; else the best of its assessments inside the window.
--          Not evaluable never counts as deep: it is the answer only where nothing else was reported.
-- Reads:   temp.salvage_response, temp.progression, temp.timeline, temp.setting.
-- Feeds:   BESTRESP, BOR in analysis.adrs.
create or replace temp table best_response as
with eligible as (
    select
        salvage_response.usubjid,
        salvage_response.category,
        salvage_response.depth,
        salvage_response.adt,
        salvage_response.adtf,
        salvage_response.row_id,
        salvage_response.kind = 'BEST' as is_reported
    from salvage_response
    inner join timeline using (usubjid)
    left join progression using (usubjid)
    cross join setting
    where
        salvage_response.is_first_salvage
        and (
            salvage_response.kind = 'BEST'
            or salvage_response.adt is null
            or (
                salvage_response.adt >= timeline.trtsdt
                and (
                    setting.best_response_window not in ('until_pd_or_next_line', 'until_pd')
                    or progression.pd_on is null
                    or salvage_response.adt <= progression.pd_on
                )
                and (
                    setting.best_response_window not in ('until_pd_or_next_line', 'until_next_line')
                    or timeline.next_line_on is null
                    or salvage_response.adt <= timeline.next_line_on
                )
            )
        )
),
chosen as (
    select
        usubjid,
        arg_min(
            eligible,
            (
                not (is_reported and depth is not null),
                coalesce(-depth, 0),
                coalesce(adt, date '9999-12-31'),
                row_id
            )
        ) as best
    from eligible
    group by usubjid
)
select usubjid, best.category, best.depth, best.adt, best.adtf, best.row_id, best.is_reported
from chosen
