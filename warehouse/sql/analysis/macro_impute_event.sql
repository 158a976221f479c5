-- temp.impute_event(day, day_precision, lower, upper)
-- Grain:   an event date under the completion of the run: the first possible day not before `lower`
--          (PRIMARY, EARLIEST) or the last one not after `upper` (LATEST).
-- Reads:   its arguments; variable completion.
-- Feeds:   DTHDT, progression dates.
create or replace temp macro impute_event(day, day_precision, lower, upper) as
    case getvariable('completion')
        when 'LATEST' then impute_last(day, day_precision, lower, upper)
        else impute_first(day, day_precision, lower)
    end
