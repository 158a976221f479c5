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
    risk_reported.riss as RISS,
    risk_reported.risstpt as RISSTPT,
    risk_reported.mycare as MYCARE,
    index_infusion.ecog as ECOG,
    refractory.triplfl as TRIPLFL,
    refractory.triplsrc as TRIPLSRC,
    refractory.pentafl as PENTAFL,
    refractory.pentasrc as PENTASRC,
    coalesce(nullif(index_infusion.prior_bcma, 'U'), prior_bcma_drug.exposed) as PBCMAFL,
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
    staging_chosen.iss as ISS,
    staging_chosen.issd as ISSD,
    staging_chosen.issdp as ISSDP,
    staging_chosen.issdif as ISSDIF,
    staging_chosen.rissd as RISSD,
    staging_chosen.rissdp as RISSDP,
    staging_chosen.rissdtpt as RISSDTPT,
    staging_chosen.rissdif as RISSDIF,
    cytogenetic_risk.hrcyto as HRCYTO,
    cytogenetic_risk.hrcyext as HRCYEXT,
    cytogenetic_risk.hrcyims as HRCYIMS,
    cytogenetic_risk.hrcyrep as HRCYREP,
    cytogenetic_risk.hrcydif as HRCYDIF,
    staging_mycare.mycared as MYCARED,
    staging_mycare.mycaredp as MYCAREDP,
    staging_mycare.myclow as MYCLOW,
    staging_mycare.mychigh as MYCHIGH,
    staging_mycare.mycdif as MYCDIF,
    refractory.tripldif as TRIPLDIF,
    refractory.pentadif as PENTADIF,
    refractory.classdif as CLASSDIF,
    refractory.lenrefl as LENREFL,
    refractory.trpexpfl as TRPEXPFL,
    refractory.pntexpfl as PNTEXPFL,
    extramedullary_before.emdblfl as EMDBLFL,
    extramedullary_before.emdblsrc as EMDBLSRC,
    extramedullary_before.pclfl as PCLFL,
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
left join risk_reported using (usubjid)
left join refractory using (usubjid)
left join extramedullary using (usubjid)
left join best_response using (usubjid)
left join held_response using (usubjid)
left join prior_bcma_drug using (usubjid)
left join staging_chosen using (usubjid)
left join cytogenetic_risk using (usubjid)
left join staging_mycare using (usubjid)
left join extramedullary_before using (usubjid)
left join toxicity_index using (usubjid)
order by SITEID, USUBJID
