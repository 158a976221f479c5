-- completed_times
-- Grain:   patient, endpoint and completion of partial dates (EARLIEST, LATEST) under which the time, or what it
--          ends with, is another one than in the primary analysis; AVAL is null where it cannot be told.
-- Reads:   analysis.adtte.
-- Feeds:   sensitivity of models to partial dates.
-- An endpoint's name ends in E or L there; only the patients that differ are few.
with primary_time as (
    select USUBJID, PARAMCD, AVAL, CNSR
    from analysis.adtte
    where ANALYSIS = 'PRIMARY'
),
completed as (
    select USUBJID, left(PARAMCD, length(PARAMCD) - 1) as PARAMCD, ANALYSIS, AVAL, CNSR
    from analysis.adtte
    where ANALYSIS <> 'PRIMARY'
),
both_ways as (
    select *
    from primary_time
    cross join (select distinct ANALYSIS from completed)
)
select
    USUBJID,
    PARAMCD,
    ANALYSIS,
    completed.AVAL,
    completed.CNSR
from both_ways
full join completed using (USUBJID, PARAMCD, ANALYSIS)
where
    both_ways.AVAL is distinct from completed.AVAL
    or both_ways.CNSR is distinct from completed.CNSR
order by ANALYSIS, PARAMCD, USUBJID
