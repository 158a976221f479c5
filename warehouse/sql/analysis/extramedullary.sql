-- temp.extramedullary
-- Grain:   one row per patient with an index relapse: extramedullary disease at relapse.
--          Extraosseous and CNS lesions count; sole para-osseous involvement does not (Merz 2024).
--          Lesions listed come first, then the reported type, then the reported flag. Where nothing is
--          reported, accepted imaging without a lesion is N if the center lists lesions at relapse.
--          A lesion that is held back may be any that its site does not rule out: it leaves a "no" open.
-- Reads:   core.lesion, temp.held_row, temp.index_relapse, temp.candidate, temp.setting.
-- Feeds:   EMDRELFL, EMDSRC, EMDIMGFL, PARAFL, EMDTYPE, EMDDIF, analysis.risk_agreement.
create or replace temp table extramedullary as
with lesions as (
    select
        usubjid,
        count(*) filter (where category in ('EXTRAOSSEOUS', 'CNS')) as n_extra,
        count(*) filter (where category = 'PARAOSSEOUS') as n_para,
        count(*) filter (where category = 'UNKNOWN' or category is null) as n_unknown,
        bool_or(modality in ('CT', 'MRI', 'PET_CT', 'PET_MRI', 'WBLDCT')) as is_imaged
    from core.lesion
    where timepoint = 'RELAPSE'
    group by usubjid
),
held_lesion as (
    select
        usubjid,
        bool_or(coalesce(value in ('EXTRAOSSEOUS', 'CNS', 'UNKNOWN'), true)) as may_be_extra,
        bool_or(coalesce(value in ('PARAOSSEOUS', 'UNKNOWN'), true)) as may_be_para
    from held_row
    where held_table = 'lesion' and coalesce(topic in ('RELAPSE', 'UNKNOWN'), true)
    group by usubjid
),
listing_center as (
    select distinct center_id
    from core.lesion
    where timepoint = 'RELAPSE'
),
evidence as (
    select
        index_relapse.usubjid,
        index_relapse.emd,
        index_relapse.emd_type,
        lesions.n_extra,
        lesions.n_para,
        lesions.n_unknown,
        coalesce(held_lesion.may_be_extra, false) as may_be_extra,
        coalesce(held_lesion.may_be_para, false) as may_be_para,
        case
            when index_relapse.imaging_modality in ('CT', 'MRI', 'PET_CT', 'PET_MRI', 'WBLDCT') or lesions.is_imaged then 'Y'
            when index_relapse.imaging_modality is not null then 'N'
        end as emdimgfl,
        emdimgfl = 'Y'
        and lesions.usubjid is null
        and held_lesion.usubjid is null
        and index_relapse.emd is null
        and index_relapse.emd_type is null
        and listing_center.center_id is not null as is_clear
    from index_relapse
    inner join candidate using (usubjid)
    left join lesions using (usubjid)
    left join held_lesion using (usubjid)
    left join listing_center on candidate.center_id = listing_center.center_id
),
judged as (
    select
        *,
        case
            when n_extra > 0 then 'Y'
            when emd_type in ('EXTRA', 'BOTH') then 'Y'
            when emd_type is null and emd = 'Y' then 'Y'
            when may_be_extra then null
            when emd_type in ('PARA', 'NONE') then 'N'
            when emd in ('Y', 'N') then emd::varchar
            when n_unknown = 0 or is_clear then 'N'
        end as extra,
        case
            when n_extra > 0 then 'LESION'
            when may_be_extra and extra is null then 'HELD'
            when emd_type is not null then 'TYPE'
            when emd in ('Y', 'N') then 'REPORTED'
            when n_unknown = 0 then 'LESION'
            when is_clear then 'IMAGING'
        end as emdsrc,
        case
            when n_para > 0 then 'Y'
            when emd_type in ('PARA', 'BOTH') then 'Y'
            when may_be_para then null
            when emd_type in ('EXTRA', 'NONE') then 'N'
            when n_unknown = 0 or is_clear then 'N'
        end as para,
        case
            when emd_type in ('EXTRA', 'BOTH') then 'Y'
            when emd_type in ('PARA', 'NONE') then 'N'
            when emd in ('Y', 'N') then emd::varchar
        end as emd_reported,
        case when n_extra > 0 then 'Y' when n_unknown = 0 and not may_be_extra then 'N' end as emd_listed
    from evidence
),
imaged as (
    -- "No" without imaging can be unknown by setting.
    select
        judged.*,
        case when not (extra = 'N' and needs_imaging) then extra end as emdrelfl,
        case when not (para = 'N' and needs_imaging) then para end as parafl
    from judged
    cross join (select emd_without_imaging = 'unknown' as asks_imaging from setting) as setting
    cross join lateral (select asks_imaging and emdimgfl is distinct from 'Y' as needs_imaging) as rule
)
select
    usubjid,
    emdrelfl,
    emdsrc,
    emdimgfl,
    parafl,
    case
        when emdrelfl = 'Y' and parafl = 'Y' then 'BOTH'
        when emdrelfl = 'Y' and parafl = 'N' then 'EXTRA'
        when emdrelfl = 'N' and parafl = 'Y' then 'PARA'
        when emdrelfl = 'N' and parafl = 'N' then 'NONE'
    end as emdtype,
    emd_reported,
    emd_listed,
    case when emd_reported = emd_listed then 'N' when emd_reported != emd_listed then 'Y' end as emddif
from imaged
