-- temp.known_alive(day, day_precision)
-- Grain:   the day that a record proves: its first possible day, so that nobody is followed longer
--          than is known; under the completion LATEST its last one.
-- Reads:   its arguments; variable completion.
-- Feeds:   the macro alive_key.
create or replace temp macro known_alive(day, day_precision) as
    case getvariable('completion') when 'LATEST' then latest_day(day, day_precision) else day end
