-- temp.is_above(measured, sign, threshold)
-- Grain:   whether a measured value is above a threshold: true or false only if every value that the
--          comparator leaves possible agrees. An approximate value (~) leaves it open.
-- Reads:   its arguments; `sign` is the comparator of the value, null for an exact one.
-- Feeds:   every step that derives stage or MyCARe from measurements.
create or replace temp macro is_above(measured, sign, threshold) as
    case
        when sign is null then measured > threshold
        when sign = '>' and measured >= threshold then true
        when sign = '>=' and measured > threshold then true
        when sign in ('<', '<=') and measured <= threshold then false
    end
