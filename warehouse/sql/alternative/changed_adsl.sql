-- analysis.alternative_adsl: the rows of one alternative
-- Grain:   as there.
-- Reads:   temp.alternative_adsl, analysis.adsl.
-- Feeds:   sensitivity of the models and medians.
insert into analysis.alternative_adsl by name
select
    ${setting} as SETTING,
    ${value} as VALUE,
    case when own.USUBJID is null then 'JOINED' else 'CHANGED' end as CHANGE,
    other.*
from temp.alternative_adsl as other
left join analysis.adsl as own using (USUBJID)
where own is distinct from other
union all by name
select
    ${setting} as SETTING,
    ${value} as VALUE,
    'LEFT' as CHANGE,
    adsl.STUDYID,
    adsl.USUBJID,
    adsl.SUBJID,
    adsl.SITEID
from analysis.adsl as adsl
anti join temp.alternative_adsl as other using (USUBJID)
order by USUBJID
