-- temp.impute_last(day, day_precision, lower, upper)
-- Grain:   the last day that a partial date could be inside [lower, upper]. Complete dates are never
--          moved; null bounds do not bind.
-- Reads:   its arguments.
-- Feeds:   the completion LATEST of the times to event.
create or replace temp macro impute_last(day, day_precision, lower, upper) as
    case
        when day is null then null
        else greatest(
            day,
            least(
                latest_day(day, day_precision),
                greatest(lower, least(upper, latest_day(day, day_precision)))
            )
        )
    end
