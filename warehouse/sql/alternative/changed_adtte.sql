-- analysis.alternative_adtte: the rows of one alternative
-- Grain:   as there.
-- Reads:   temp.alternative_adtte, analysis.adtte.
-- Feeds:   sensitivity of the models and medians.
insert into analysis.alternative_adtte by name
with own as (
    select * from analysis.adtte where ANALYSIS = 'PRIMARY'
),
before as (
    select * exclude (AVALM) from own
),
after as (
    select * exclude (AVALM) from temp.alternative_adtte
),
differing as (
    select USUBJID, PARAMCD
    from after
    left join before using (USUBJID, PARAMCD)
    where before is distinct from after
)
select
    ${setting} as SETTING,
    ${value} as VALUE,
    other.*
from temp.alternative_adtte as other
semi join differing using (USUBJID, PARAMCD)
union all by name
select
    ${setting} as SETTING,
    ${value} as VALUE,
    own.STUDYID,
    own.USUBJID,
    own.PARAMCD,
    own.PARAM,
    own.ANALYSIS
from own
anti join temp.alternative_adtte as other using (USUBJID, PARAMCD)
order by PARAMCD, USUBJID
