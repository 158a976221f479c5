-- temp.best_response
-- Grain:   one row per patient of the cohort with a response of the first salvage.
--          The best response that the center reported; else, and where measurements are analysed, the
--          best of the assessments inside the window.
--          Not evaluable never counts as deep: it is the answer only where nothing else was reported.
-- Reads:   temp.analysed_response, temp.progression, temp.timeline, temp.setting.
-- Feeds:   BESTRESP, BOR in analysis.adrs.
create or replace temp table best_response as
with eligible as (
    select
        analysed_response.usubjid,
        analysed_response.category,
        analysed_response.depth,
        analysed_response.adt,
        analysed_response.adtf,
        analysed_response.row_id,
        analysed_response.kind = 'BEST' as is_reported,
        analysed_response.domain
    from analysed_response
    inner join timeline using (usubjid)
    left join progression using (usubjid)
    cross join setting
    where
        analysed_response.is_first_salvage
        and (
            analysed_response.is_in_course
            or setting.best_response_window in ('until_next_line', 'any_time')
        )
        and (
            analysed_response.kind = 'BEST'
            or analysed_response.adt is null
            or (
                analysed_response.adt >= timeline.trtsdt
                and (
                    setting.best_response_window not in ('until_pd_or_next_line', 'until_pd')
                    or progression.pd_on is null
                    or analysed_response.adt <= progression.pd_on
                )
                and (
                    setting.best_response_window not in ('until_pd_or_next_line', 'until_next_line')
                    or timeline.next_line_on is null
                    or analysed_response.adt <= timeline.next_line_on
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
        ) as best,
        bool_or(category = 'NE') as has_not_evaluable
    from eligible
    group by usubjid
)
select
    usubjid,
    -- Measurements that show a progression alone do not tell whether a day that they leave open was better.
    case
        when best.domain != 'RESPONSE' and best.category = 'PD' and has_not_evaluable then 'NE'
        else best.category
    end as category,
    best.adt,
    best.adtf,
    best.row_id,
    best.is_reported,
    best.domain
from chosen
