-- analysis.exclusion
-- Grain:   one row per patient of the cohort and endpoint whose time cannot be told, with the reason.
--          Nothing is clipped: a clock that would run backwards is an exclusion.
-- Reads:   temp.clock, analysis.adtte.
-- Feeds:   footnotes of the displays; cohort and endpoints balance: adsl = adtte + exclusion for OS and PFS.
create or replace table analysis.exclusion as
select
    clock.STUDYID,
    clock.USUBJID,
    clock.SITEID,
    clock.PARAMCD,
    coalesce(clock.reason, 'END_BEFORE_START') as reason
from clock
left join analysis.adtte as adtte using (USUBJID, PARAMCD)
where adtte.USUBJID is null
order by PARAMCD, USUBJID
