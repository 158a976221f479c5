-- temp.imwg_lesion
-- Grain:   one row per patient and day on which a lesion is seen that was not there before: listed at
--          follow-up, at a site that neither CAR-T, nor relapse, nor an earlier day lists. Where nobody
--          says that imaging was done at relapse, it cannot be called new.
-- Reads:   core.lesion, core.relapse, temp.index_relapse.
-- Feeds:   temp.imwg_measured.
create or replace temp table imwg_lesion as
with listed as (
    select
        usubjid,
        site,
        timepoint,
        case when coalesce(lesion_date_precision, 'day') = 'day' then lesion_date end as day
    from core.lesion
),
imaged as (
    select relapse.usubjid
    from core.relapse as relapse
    inner join index_relapse using (usubjid)
    where
        relapse.row_id = index_relapse.row_id
        and relapse.imaging_modality is distinct from 'NONE'
        and (
            relapse.imaging_date is not null
            or relapse.emd in ('Y', 'N')
            or relapse.emd_type is not null
            or relapse.imaging_modality is not null
        )
    union
    select usubjid from listed where timepoint = 'RELAPSE'
)
select distinct
    later.usubjid,
    later.day,
    true as new_lesion
from listed as later
inner join imaged using (usubjid)
where
    later.timepoint = 'FOLLOWUP'
    and later.day is not null
    and not exists (
        select 1
        from listed as before
        where
            before.usubjid = later.usubjid
            and before.site = later.site
            and (
                before.timepoint is distinct from 'FOLLOWUP'
                or before.day is null
                or before.day < later.day
            )
    )
