-- analysis.adsl
-- Grain:   one row per patient of the cohort: a relapse after ide-cel or cilta-cel and a salvage line.
--          What happened after the data cut is not counted.
-- Reads:   temp.timeline and the steps before it, core.subject.
-- Feeds:   analysis.adrs, analysis.adtte, every display.
create or replace table analysis.adsl as
select
    setting.study_id as STUDYID,
    subject.usubjid as USUBJID,
    case
        when starts_with(subject.usubjid, setting.study_id || '-' || subject.center_id || '-')
            then substr(subject.usubjid, length(setting.study_id || '-' || subject.center_id || '-') + 1)
        else subject.usubjid
    end as SUBJID,
    subject.center_id as SITEID,
    subject.country as COUNTRY,
    coalesce(index_infusion.age_at_infusion, year(timeline.cartdt) - subject.birth_year)::integer as AGE,
    case
        when index_infusion.age_at_infusion is not null then 'REPORTED'
        when subject.birth_year is not null then 'BIRTH_YEAR'
    end as AGESRC,
    nullif(subject.sex, 'U') as SEX,
    subject.birth_year as BRTHYR,
    index_infusion.product as CARTPROD,
    timeline.cartdt as CARTDT,
    timeline.cartdtf as CARTDTF,
    timeline.reldt as RELDT,
    timeline.reldtf as RELDTF,
    (timeline.reldt - timeline.cartdt) / setting.days_per_month as TTRLPM,
    index_infusion.prior_lines as NPRLINE,
    profile.riss as RISS,
    profile.risstpt as RISSTPT,
    profile.mycare as MYCARE,
    index_infusion.ecog as ECOG,
    profile.triplfl as TRIPLFL,
    profile.triplsrc as TRIPLSRC,
    profile.pentafl as PENTAFL,
    profile.pentasrc as PENTASRC,
    coalesce(nullif(index_infusion.prior_bcma, 'U'), profile.exposed) as PBCMAFL,
    extramedullary.emdrelfl as EMDRELFL,
    extramedullary.emdsrc as EMDSRC,
    case
        when timeline.reldt is null or timeline.cartdt is null then null
        when timeline.reldt - timeline.cartdt < setting.early_months_1 * setting.days_per_month then 'Y'
        when
            setting.early_if_equal
            and timeline.reldt - timeline.cartdt = setting.early_months_1 * setting.days_per_month
            then 'Y'
        else 'N'
    end as EARLY3FL,
    case
        when timeline.reldt is null or timeline.cartdt is null then null
        when timeline.reldt - timeline.cartdt < setting.early_months_2 * setting.days_per_month then 'Y'
        when
            setting.early_if_equal
            and timeline.reldt - timeline.cartdt = setting.early_months_2 * setting.days_per_month
            then 'Y'
        else 'N'
    end as EARLY5FL,
    timeline.salvage_group as GRP4,
    case timeline.salvage_group when 'TALQ' then 1 when 'TEC' then 2 when 'IPC' then 3 else 4 end::integer as GRP4N,
    timeline.salvage_subgroup as OTHSUB,
    timeline.drugs as SALVDRUG,
    timeline.flags as SALVFLAG,
    case when timeline.salvage_group in ('TALQ', 'TEC') then 'Y' else 'N' end as BITEFL,
    case when timeline.any_bispecific then 'Y' else 'N' end as ANYBISFL,
    timeline.line_number as SALVLN,
    timeline.trtsdt as TRTSDT,
    timeline.start_flag as TRTSDTF,
    timeline.bridge_start_date as BRGSDT,
    case
        when held_response.is_best_open then null
        when best_response.category in ('sCR', 'CR') then 'CR'
        when best_response.category in ('VGPR', 'PR') then best_response.category
        when best_response.category in ('MR', 'SD', 'PD', 'LTPR') then 'LTPR'
        -- What cannot be derived is not known: the setting is about what centers could not evaluate.
        when setting.ne_is_nonresponder and setting.response_analysed = 'reported' then 'LTPR'
    end as BESTRESP,
    case when held_response.is_best_open is distinct from true then best_response.category end as BESTRSPO,
    case
        when held_response.is_best_open then 'HELD'
        when setting.response_analysed = 'derived'
            then case when coalesce(best_response.category, 'NE') = 'NE' then 'NOT_DERIVED' else 'DERIVED' end
        when best_response.category is null then 'MISSING'
        when best_response.category = 'NE' then 'NOT_EVALUABLE'
        when best_response.is_reported then 'REPORTED'
        else 'ASSESSMENTS'
    end as BESTRSRC,
    case BESTRESP when 'CR' then 4 when 'VGPR' then 3 when 'PR' then 2 when 'LTPR' then 1 end::integer as BESTRSPN,
    case when BESTRESP is null then null when BESTRESP = 'LTPR' then 'N' else 'Y' end as RESPFL,
    case when BESTRESP is null then null when BESTRESP = 'CR' then 'Y' else 'N' end as CRFL,
    case when timeline.n_salvage > 1 then 'Y' when not timeline.is_later_line_held then 'N' end as SUBSQFL,
    case when not timeline.is_later_line_held then timeline.n_salvage end as NSALV,
    case when not timeline.is_next_line_held then timeline.following_on end as NACTDT,
    case when not timeline.is_next_line_held then timeline.following_flag end as NACTDTF,
    -- Who died after the data cut was alive at it.
    case when timeline.dthdt > setting.data_cut then 'N' else timeline.dthfl end as DTHFL,
    case when timeline.dthdt > setting.data_cut then null else timeline.dthdt end as DTHDT,
    case when timeline.dthdt > setting.data_cut then null else timeline.dthdtf end as DTHDTF,
    case when timeline.dthdt > setting.data_cut then null when timeline.dthfl = 'Y' then timeline.death_cause end as DTHCAUS,
    least(last_alive.lstalvdt, setting.data_cut) as LSTALVDT,
    case when last_alive.lstalvdt > setting.data_cut then null else last_alive.lstalvdtf end as LSTALDTF,
    last_alive.alive_domain as LSTALSRC,
    case when timeline.dthdt > setting.data_cut then 'ALIVE' else timeline.vital_status::varchar end as VITSTAT,
    profile.iss as ISS,
    profile.issd as ISSD,
    profile.issdp as ISSDP,
    profile.issdif as ISSDIF,
    profile.rissd as RISSD,
    profile.rissdp as RISSDP,
    profile.rissdtpt as RISSDTPT,
    profile.rissdif as RISSDIF,
    profile.hrcyto as HRCYTO,
    profile.hrcyext as HRCYEXT,
    profile.hrcyims as HRCYIMS,
    profile.hrcyrep as HRCYREP,
    profile.hrcydif as HRCYDIF,
    profile.mycared as MYCARED,
    profile.mycaredp as MYCAREDP,
    profile.myclow as MYCLOW,
    profile.mychigh as MYCHIGH,
    profile.mycdif as MYCDIF,
    profile.tripldif as TRIPLDIF,
    profile.pentadif as PENTADIF,
    profile.classdif as CLASSDIF,
    profile.lenrefl as LENREFL,
    profile.trpexpfl as TRPEXPFL,
    profile.pntexpfl as PNTEXPFL,
    profile.emdblfl as EMDBLFL,
    profile.emdblsrc as EMDBLSRC,
    profile.pclfl as PCLFL,
    extramedullary.parafl as PARAFL,
    extramedullary.emdtype as EMDTYPE,
    extramedullary.emddif as EMDDIF,
    extramedullary.emdimgfl as EMDIMGFL,
    toxicity_index.crsgr as CRSGR,
    toxicity_index.crsscl as CRSSCL,
    toxicity_index.crssrc as CRSSRC,
    toxicity_index.icansgr as ICANSGR,
    toxicity_index.icansscl as ICANSSCL,
    toxicity_index.icanssrc as ICANSSRC,
    toxicity_index.crsslvgr as CRSSLVGR,
    toxicity_index.crsslvsc as CRSSLVSC
from timeline
inner join last_alive using (usubjid)
inner join core.subject as subject using (usubjid)
cross join setting
left join index_infusion using (usubjid)
left join profile using (usubjid)
left join extramedullary using (usubjid)
left join best_response using (usubjid)
left join held_response using (usubjid)
left join toxicity_index using (usubjid)
order by SITEID, USUBJID
