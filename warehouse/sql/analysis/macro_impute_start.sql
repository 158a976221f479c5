-- temp.impute_start(day, day_precision, lower, upper)
-- Grain:   a start date under the completion of the run: the middle (PRIMARY), the earliest or the
--          latest day inside [lower, upper] that the partial date allows.
-- Reads:   its arguments; variable completion.
-- Feeds:   TRTSDT, RELDT, CARTDT, response dates.
create or replace temp macro impute_start(day, day_precision, lower, upper) as
    case getvariable('completion')
        when 'EARLIEST' then impute_first(day, day_precision, lower)
        when 'LATEST' then impute_last(day, day_precision, lower, upper)
        else impute_mid(day, day_precision, lower, upper)
    end
