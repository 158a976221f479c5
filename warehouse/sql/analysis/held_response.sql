-- temp.held_response
-- Grain:   one row per patient of the cohort with a response to the first salvage that is held back, as far as
--          it matters: whether the best response, the first response, or what confirms a response is open.
--          A best response as reported stands above assessments, but for a better one that is held. An
--          assessment matters where it may be better than the best known, or come before the first one, inside
--          the window of the best response. Where measurements are analysed, no held category counts.
-- Reads:   temp.held_row, temp.timeline, temp.progression, temp.best_response, temp.first_response,
--          temp.response_class, temp.setting.
-- Feeds:   BESTRESP, RESPFL, BOR, CBOR, RSP; the times that rest on the response.
create or replace temp table held_response as
with known as (
    select
        timeline.usubjid,
        timeline.line_number,
        timeline.next_line_on,
        timeline.held_line_on,
        progression.pd_on,
        best_response.is_reported and best_class.rank is not null as is_best_reported,
        coalesce(best_class.rank, 1) as best_rank,
        best_response.adt as best_on,
        first_response.responded_on
    from timeline
    left join progression using (usubjid)
    left join best_response using (usubjid)
    left join response_class as best_class on best_response.category = best_class.category
    left join first_response using (usubjid)
),
held as (
    select
        known.*,
        held_row.topic = 'BEST' as is_best,
        held_row.day,
        setting.response_analysed = 'derived' as is_derived,
        -- Not evaluable is no response: with it, nothing else is known than without it.
        case when setting.response_analysed = 'reported' then coalesce(held_class.rank, case held_row.value when 'NE' then 1 end) end
            as rank,
        coalesce(
            held_row.topic = 'BEST'
            or (
                held_row.day is null
                or (
                    (
                        setting.best_response_window not in ('until_pd_or_next_line', 'until_pd')
                        or known.pd_on is null
                        or held_row.day <= known.pd_on
                    )
                    and (
                        setting.best_response_window not in ('until_pd_or_next_line', 'until_next_line')
                        or known.next_line_on is null
                        or held_row.day <= known.next_line_on
                    )
                )
            ),
            true
        ) as is_in_window
    from held_row
    inner join known using (usubjid)
    cross join setting
    left join response_class as held_class on held_row.value = held_class.category
    where
        held_row.held_table = 'response'
        and coalesce(held_row.topic, 'BEST') != 'PROGRESSION'
        and coalesce(held_row.number = known.line_number, true)
)
select
    usubjid,
    bool_or(
        case
            when is_derived then is_best is distinct from true and best_rank < 4
            when is_best is distinct from true and is_best_reported then false
            when is_best is distinct from true then rank is null or rank > best_rank
            when is_best_reported then rank is null or rank > best_rank
            else rank is distinct from best_rank
        end
    ) as is_best_open,
    bool_or((rank is null or rank > 1) and (day is null or responded_on is null or day < responded_on)
        and (not is_derived or is_best is distinct from true)) as is_first_open,
    bool_or(is_best is distinct from true and (rank is null or rank > 1)) as is_confirmed_open,
    max(day) filter (where is_best is distinct from true) as assessed_on
from held
where is_in_window
group by usubjid
