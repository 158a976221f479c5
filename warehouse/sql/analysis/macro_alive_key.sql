-- temp.alive_key(day, day_precision)
-- Grain:   the day that a record proves as one number that sorts by day, then by precision: four times the
--          days since 1900, plus 3 (day), 2 (month) or 1 (year). One number, because a pair costs far more
--          in the millions of rows of response and lab.
-- Reads:   its arguments; the macro known_alive.
-- Feeds:   temp.alive_evidence.
create or replace temp macro alive_key(day, day_precision) as
    (known_alive(day, day_precision) - date '1900-01-01') * 4
    + case day_precision when 'month' then 2 when 'year' then 1 else 3 end
