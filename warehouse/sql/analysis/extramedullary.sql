-- temp.extramedullary
-- Grain:   one row per patient with an index relapse: EMDRELFL and its source.
--          Extraosseous and CNS lesions count; sole para-osseous involvement does not (Merz 2024).
-- Reads:   core.lesion, temp.index_relapse, temp.setting.
-- Feeds:   EMDRELFL, EMDSRC.
create or replace temp table extramedullary as
with lesions as (
    select
        usubjid,
        count(*) filter (where category in ('EXTRAOSSEOUS', 'CNS')) as n_extra,
        count(*) filter (where category = 'UNKNOWN' or category is null) as n_unknown
    from core.lesion
    where timepoint = 'RELAPSE'
    group by usubjid
),
judged as (
    select
        index_relapse.usubjid,
        case
            when lesions.n_extra > 0 then 'Y'
            when index_relapse.emd_type in ('EXTRA', 'BOTH') then 'Y'
            when index_relapse.emd_type in ('PARA', 'NONE') then 'N'
            when index_relapse.emd in ('Y', 'N') then index_relapse.emd
            when lesions.n_unknown = 0 then 'N'
        end as emdrelfl,
        case
            when lesions.n_extra > 0 then 'LESION'
            when index_relapse.emd_type is not null then 'TYPE'
            when index_relapse.emd in ('Y', 'N') then 'REPORTED'
            when lesions.n_unknown = 0 then 'LESION'
        end as emdsrc,
        index_relapse.imaging_modality
    from index_relapse
    left join lesions using (usubjid)
)
select
    judged.usubjid,
    case
        when
            judged.emdrelfl = 'N'
            and setting.emd_without_imaging = 'unknown'
            and coalesce(judged.imaging_modality, 'NONE') = 'NONE'
            then null
        else judged.emdrelfl
    end as emdrelfl,
    judged.emdsrc
from judged
cross join setting
