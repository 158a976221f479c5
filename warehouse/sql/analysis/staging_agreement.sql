-- analysis.risk_agreement
-- Grain:   one row per center, variable, reported and derived value: how many patients of the cohort have them.
--          The counts of a variable add up to the patients of the center.
-- Reads:   analysis.adsl, temp.refractory, temp.extramedullary.
-- Feeds:   queries to centers; analyses by SQL.
create or replace table analysis.risk_agreement as
with compared as (
    select SITEID, 'ISS' as PARAMCD, ISS::varchar as REPORTED, ISSD as DERIVED, ISSDIF as DIFFERS
    from analysis.adsl
    union all
    select SITEID, 'RISS', RISS::varchar, RISSD, RISSDIF
    from analysis.adsl
    union all
    select SITEID, 'MYCARE', MYCARE::varchar, MYCARED, MYCDIF
    from analysis.adsl
    union all
    select SITEID, 'HRCYTO', HRCYREP, HRCYTO, HRCYDIF
    from analysis.adsl
    union all
    select adsl.SITEID, 'TRIPLFL', refractory.triple_reported, refractory.triple_derived, adsl.TRIPLDIF
    from analysis.adsl as adsl
    left join refractory on adsl.USUBJID = refractory.usubjid
    union all
    select adsl.SITEID, 'PENTAFL', refractory.penta_reported, refractory.penta_derived, adsl.PENTADIF
    from analysis.adsl as adsl
    left join refractory on adsl.USUBJID = refractory.usubjid
    union all
    select adsl.SITEID, 'EMDRELFL', extramedullary.emd_reported, extramedullary.emd_listed, adsl.EMDDIF
    from analysis.adsl as adsl
    left join extramedullary on adsl.USUBJID = extramedullary.usubjid
)
select
    setting.study_id as STUDYID,
    compared.*,
    count(*)::integer as N
from compared
cross join setting
group by all
order by all
