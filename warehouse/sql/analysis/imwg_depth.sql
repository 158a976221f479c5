-- temp.imwg_depth
-- Grain:   one row per response category with its depth; 0 where it has none (not evaluable, or not told
--          which of the categories below partial response).
-- Reads:   nothing.
-- Feeds:   analysis.imwg_response, analysis.imwg_line.
create or replace temp table imwg_depth as
select *
from (
    values
        ('sCR', 7), ('CR', 6), ('VGPR', 5), ('PR', 4), ('MR', 3), ('SD', 2), ('PD', 1), ('NE', 0), ('LTPR', 0)
) as listed(category, depth)
