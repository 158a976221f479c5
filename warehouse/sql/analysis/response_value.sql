-- temp.response_value
-- Grain:   one row per response category with its ADaM value; NE sorts apart and is never the best.
-- Reads:   nothing.
-- Feeds:   AVAL of analysis.adrs.
create or replace temp table response_value as
select *
from (
    values ('sCR', 7), ('CR', 6), ('VGPR', 5), ('PR', 4), ('MR', 3), ('SD', 2), ('PD', 1), ('NE', 8)
) as listed(category, aval)
