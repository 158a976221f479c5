-- temp.imwg_value(measured, comparator, measurable)
-- Grain:   a measured number as the IMWG criteria may use it: "< x" is just under x, but nothing is known
--          where x itself is measurable disease; "> x" is not known, because both a fall and a rise
--          would be overstated.
-- Reads:   its arguments.
-- Feeds:   temp.imwg_measured.
create or replace temp macro imwg_value(measured, comparator, measurable) as
    case
        when comparator in ('>', '>=') then null
        when comparator in ('<', '<=') and measured >= measurable then null
        when comparator = '<' then greatest(measured - 0.001, 0)
        else measured
    end
