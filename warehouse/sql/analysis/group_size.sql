-- analysis.group_size
-- Grain:   one row per setting, value and group of the first salvage: how many patients are in the group
--          if the study decided so and left all else as it is.
-- Reads:   temp.alternative_group, temp.group_size_base.
-- Feeds:   sensitivity of the groups (dossier 4.3); nothing of the report.
create or replace table analysis.group_size as
with chosen as (
    select setting, usubjid, salvage_group from group_size_base where is_chosen
),
listed as (
    select distinct setting, value, position, is_chosen from alternative_group
),
grouped(GRP4, GRP4N) as (values ('TALQ', 1), ('TEC', 2), ('IPC', 3), ('OTHER', 4)),
moved as (
    select
        group_size_base.position,
        group_size_base.salvage_group,
        count(*) as n_patients,
        count(*) filter (
            where chosen.usubjid is null or chosen.salvage_group != group_size_base.salvage_group
        ) as n_joined
    from group_size_base
    left join chosen
        on group_size_base.setting = chosen.setting and group_size_base.usubjid = chosen.usubjid
    group by group_size_base.position, group_size_base.salvage_group
)
select
    listed.setting,
    listed.value,
    case when listed.is_chosen then 'Y' else 'N' end as chosen,
    grouped.GRP4,
    coalesce(moved.n_patients, 0) as n_patients,
    coalesce(moved.n_joined, 0) as n_joined,
    listed.position
from listed
cross join grouped
left join moved on listed.position = moved.position and grouped.GRP4 = moved.salvage_group
order by listed.position, grouped.GRP4N
