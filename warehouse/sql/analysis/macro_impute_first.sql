-- temp.impute_first(day, day_precision, lower)
-- Grain:   an event date: the first day it could be that is not before `lower`. Complete dates are
--          never moved.
-- Reads:   its arguments.
-- Feeds:   DTHDT, progression dates.
create or replace temp macro impute_first(day, day_precision, lower) as
    case
        when day is null then null
        else least(latest_day(day, day_precision), greatest(day, case when day_precision in ('month', 'year') then lower end))
    end
