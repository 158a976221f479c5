-- analysis.adtte: rows of one completion
-- Grain:   one row per patient and endpoint, PARAMCD with the completion's letter. Patients without a
--          partial date have the time of the primary analysis. The group is that of adsl.
-- Reads:   analysis.adtte, analysis.adsl, temp.partial_patient, temp.completed_time.
-- Feeds:   sensitivity analyses; the report reads ANALYSIS = PRIMARY only.
insert into analysis.adtte by name
select
    adtte.* replace (
        adtte.PARAMCD || left(getvariable('completion'), 1) as PARAMCD,
        getvariable('completion') as ANALYSIS
    )
from analysis.adtte as adtte
anti join partial_patient on adtte.USUBJID = partial_patient.usubjid
where adtte.ANALYSIS = 'PRIMARY'
union all by name
select completed_time.* replace (adsl.GRP4 as GRP4)
from completed_time
inner join analysis.adsl as adsl using (USUBJID)
