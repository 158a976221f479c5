-- temp.partial_patient
-- Grain:   one row per patient of the cohort with a date of which day or month are not known.
-- Reads:   analysis.adsl and the dated tables of core.
-- Feeds:   warehouse/completions.py: only these patients have another time if dates are completed otherwise.
create or replace temp table partial_patient as
with partial_date as (
    select usubjid from core.infusion where infusion_date_precision in ('month', 'year')
    union
    select usubjid from core.relapse where relapse_date_precision in ('month', 'year')
    union
    select usubjid from core.treatment_line where start_date_precision in ('month', 'year')
    union
    select usubjid from core.response where response_date_precision in ('month', 'year')
    union
    select usubjid from core.lab where lab_date_precision in ('month', 'year')
    union
    select usubjid from core.lesion where lesion_date_precision in ('month', 'year')
    union
    select usubjid from core.toxicity where onset_date_precision in ('month', 'year')
    union
    select usubjid
    from core.follow_up
    where
        last_contact_date_precision in ('month', 'year')
        or death_date_precision in ('month', 'year')
)
select adsl.USUBJID as usubjid
from analysis.adsl as adsl
semi join partial_date using (usubjid)
