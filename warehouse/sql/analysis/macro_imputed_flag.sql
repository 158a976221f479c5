-- temp.imputed_flag(day, day_precision)
-- Grain:   the ADaM *DTF flag: D (day imputed), M (month and day imputed), null (complete or no date).
-- Reads:   its arguments.
-- Feeds:   CARTDTF, RELDTF, TRTSDTF, DTHDTF, ADTF, STARTDTF.
create or replace temp macro imputed_flag(day, day_precision) as
    case
        when day is null then null
        when day_precision = 'month' then 'D'
        when day_precision = 'year' then 'M'
    end
