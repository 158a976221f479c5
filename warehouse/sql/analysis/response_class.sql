-- temp.response_class
-- Grain:   one row per response category that can be judged, with its class in the analysis (sCR is CR; less
--          than PR is one class) and the rank of that class.
-- Reads:   nothing.
-- Feeds:   temp.held_response.
create or replace temp table response_class as
select *
from (
    values
    ('sCR', 4), ('CR', 4), ('VGPR', 3), ('PR', 2), ('MR', 1), ('SD', 1), ('LTPR', 1), ('PD', 1)
) as listed(category, rank)
