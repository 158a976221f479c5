-- temp.group_size_base
-- Grain:   one row per setting, value and patient who is in the cohort under that value.
-- Reads:   temp.alternative_group (transforms/derive/group_sizes.py), temp.candidate, temp.setting.
-- Feeds:   analysis.group_size.
create or replace temp table group_size_base as
select alternative_group.*
from alternative_group
inner join candidate using (usubjid)
cross join setting
where
    -- What the salvage itself decides is asked again; every other reason stands.
    (
        candidate.reason is null
        or candidate.reason in ('NO_SALVAGE', 'SALVAGE_START_INCOMPLETE', 'SALVAGE_AFTER_DATA_CUT')
    )
    and alternative_group.start_flag is distinct from 'M'
    and (setting.data_cut is null or alternative_group.start_date <= setting.data_cut)
