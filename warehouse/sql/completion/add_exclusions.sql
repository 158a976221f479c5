-- analysis.exclusion: rows of one completion
-- Grain:   one row per patient and endpoint whose time cannot be told under this completion. A patient who
--          is not in the cohort under it has the reason NOT_IN_COMPLETION.
-- Reads:   analysis.exclusion, analysis.adsl, temp.endpoint_parameter, temp.partial_patient,
--          temp.completed_time, temp.completed_exclusion.
-- Feeds:   cohort and endpoints balance under each completion too.
insert into analysis.exclusion by name
select exclusion.* replace (exclusion.PARAMCD || left(getvariable('completion'), 1) as PARAMCD)
from analysis.exclusion as exclusion
inner join endpoint_parameter on exclusion.PARAMCD = endpoint_parameter.paramcd
anti join partial_patient on exclusion.USUBJID = partial_patient.usubjid
union all by name
select completed_exclusion.*
from completed_exclusion
semi join analysis.adsl as adsl using (USUBJID)
union all by name
select
    adsl.STUDYID,
    adsl.USUBJID,
    adsl.SITEID,
    endpoint_parameter.paramcd || left(getvariable('completion'), 1) as PARAMCD,
    'NOT_IN_COMPLETION' as reason
from analysis.adsl as adsl
semi join partial_patient on adsl.USUBJID = partial_patient.usubjid
cross join endpoint_parameter
anti join completed_time on adsl.USUBJID = completed_time.USUBJID
anti join completed_exclusion on adsl.USUBJID = completed_exclusion.USUBJID
where endpoint_parameter.start != 'RESPONSE'
