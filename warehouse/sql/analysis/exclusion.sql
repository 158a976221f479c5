-- analysis.exclusion
-- Grain:   one row per patient of the cohort and endpoint whose time cannot be told, with the reason.
--          Nothing is clipped: a clock that would run backwards is an exclusion.
-- Reads:   temp.clock, analysis.adtte, temp.setting.
-- Feeds:   footnotes of the displays; cohort and endpoints balance: adsl = adtte + exclusion, for RSD and
--          RSDR responders = adtte + exclusion.
create or replace table analysis.exclusion as
with coded as (
    select
        clock.*,
        clock.paramcd || case setting.completion when 'EARLIEST' then 'E' when 'LATEST' then 'L' else '' end
            as code,
        setting.study_id
    from clock
    cross join setting
)
select
    coded.study_id as STUDYID,
    coded.usubjid as USUBJID,
    coded.center_id as SITEID,
    coded.code as PARAMCD,
    coalesce(coded.reason, 'END_BEFORE_START') as reason
from coded
left join analysis.adtte as adtte on coded.usubjid = adtte.USUBJID and coded.code = adtte.PARAMCD
where adtte.USUBJID is null
order by PARAMCD, USUBJID
