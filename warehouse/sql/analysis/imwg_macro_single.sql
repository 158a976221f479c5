-- temp.imwg_single(measured)
-- Grain:   an aggregate: the value of a day, if all records of the day agree; else it is not known.
-- Reads:   its argument.
-- Feeds:   temp.imwg_lab, temp.imwg_measured.
create or replace temp macro imwg_single(measured) as
    case when min(measured) = max(measured) then min(measured) end
