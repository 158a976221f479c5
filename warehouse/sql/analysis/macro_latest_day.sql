-- temp.latest_day(day, day_precision)
-- Grain:   a partial date holds the first day it could be; this is the last one.
-- Reads:   its arguments.
-- Feeds:   every step of warehouse/sql/analysis that compares or imputes partial dates.
create or replace temp macro latest_day(day, day_precision) as
    case day_precision
        when 'month' then last_day(day)
        when 'year' then make_date(year(day), 12, 31)
        else day
    end
