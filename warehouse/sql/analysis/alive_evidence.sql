-- temp.alive_evidence
-- Grain:   one row per patient: the latest day on which a record shows the patient alive. Partial dates
--          count with their first day, so that a censoring date is never later than what is known.
-- Reads:   every dated fact of core; temp.vital.
-- Feeds:   LSTALVDT and the lower bound of an imputed death date.
create or replace temp table alive_evidence as
with dated as (
    select usubjid, max(known_alive(infusion_date, infusion_date_precision)) as day, 'INFUSION' as domain from core.infusion group by usubjid
    union all
    select usubjid, max(known_alive(relapse_date, relapse_date_precision)), 'RELAPSE' from core.relapse group by usubjid
    union all
    select usubjid, max(known_alive(start_date, start_date_precision)), 'TREATMENT_LINE' from core.treatment_line group by usubjid
    union all
    select usubjid, max(known_alive(response_date, response_date_precision)), 'RESPONSE' from core.response group by usubjid
    union all
    select usubjid, max(known_alive(lab_date, lab_date_precision)), 'LAB' from core.lab group by usubjid
    union all
    select usubjid, max(known_alive(lesion_date, lesion_date_precision)), 'LESION' from core.lesion group by usubjid
    union all
    select usubjid, max(known_alive(onset_date, onset_date_precision)), 'TOXICITY' from core.toxicity group by usubjid
    union all
    select usubjid, known_alive(last_contact_date, last_contact_date_precision), 'FOLLOW_UP' from vital
)
select
    dated.usubjid,
    max(dated.day) as alive_on,
    -- On equal days the follow-up form is the natural source.
    arg_max(dated.domain, (dated.day, dated.domain = 'FOLLOW_UP')) as domain
from dated
left join vital using (usubjid)
where
    dated.day is not null
    -- A record after death is a finding (DAT-24, DAT-25) and no evidence of life.
    and (vital.death_last_day is null or dated.day <= vital.death_last_day)
group by dated.usubjid
