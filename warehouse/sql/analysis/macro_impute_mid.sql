-- temp.impute_mid(day, day_precision, lower, upper)
-- Grain:   a start date: the 15th (30 June where the month is missing too), moved into [lower, upper]
--          as far as the partial date allows. Complete dates are never moved; null bounds do not bind.
-- Reads:   its arguments.
-- Feeds:   TRTSDT, RELDT, CARTDT, response dates.
create or replace temp macro impute_mid(day, day_precision, lower, upper) as
    case day_precision
        when 'month' then greatest(day, least(last_day(day), greatest(lower, least(upper, day + 14))))
        when 'year' then greatest(
            day,
            least(make_date(year(day), 12, 31), greatest(lower, least(upper, make_date(year(day), 6, 30))))
        )
        else day
    end
