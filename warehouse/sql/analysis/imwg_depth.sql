-- temp.imwg_depth
-- Grain:   one row per response category: `depth` for differences (0: it has none, because it is not
--          evaluable or not told which below partial response), `place` for the best of several.
-- Reads:   nothing.
-- Feeds:   analysis.imwg_response, analysis.imwg_line, analysis.adrs.
create or replace temp table imwg_depth as
select *
from (
    values
        ('sCR', 7, 7),
        ('CR', 6, 6),
        ('VGPR', 5, 5),
        ('PR', 4, 4),
        ('MR', 3, 3),
        ('SD', 2, 2),
        ('LTPR', 0, 1.5),
        ('PD', 1, 1),
        ('NE', 0, 0)
) as listed(category, depth, place)
