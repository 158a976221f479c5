-- temp.alive_evidence
-- Grain:   one row per patient: the latest day on which a record shows the patient alive, and how precise
--          that record is. Partial dates count with their first day, so that a censoring date is never
--          later than what is known; of records on one day the most precise one counts.
--          A record of the month of the export is at most of the day of the export.
-- Reads:   every dated fact of core; temp.vital, temp.export_day.
-- Feeds:   LSTALVDT and the lower bound of an imputed death date.
create or replace temp table alive_evidence as
with keyed as (
    select usubjid, max(alive_key(infusion_date, infusion_date_precision)) as alive_key, 'INFUSION' as domain from core.infusion group by usubjid
    union all
    select usubjid, max(alive_key(relapse_date, relapse_date_precision)), 'RELAPSE' from core.relapse group by usubjid
    union all
    select usubjid, max(alive_key(start_date, start_date_precision)), 'TREATMENT_LINE' from core.treatment_line group by usubjid
    union all
    select usubjid, max(alive_key(response_date, response_date_precision)), 'RESPONSE' from core.response group by usubjid
    union all
    select usubjid, max(alive_key(lab_date, lab_date_precision)), 'LAB' from core.lab group by usubjid
    union all
    select usubjid, max(alive_key(lesion_date, lesion_date_precision)), 'LESION' from core.lesion group by usubjid
    union all
    select usubjid, max(alive_key(onset_date, onset_date_precision)), 'TOXICITY' from core.toxicity group by usubjid
    union all
    select usubjid, alive_key(last_contact_date, last_contact_date_precision), 'FOLLOW_UP' from vital
),
dated as (
    select
        keyed.usubjid,
        keyed.domain,
        keyed.alive_key,
        case
            when keyed.alive_key % 4 = 3 then date '1900-01-01' + (keyed.alive_key // 4)::integer
            else least(date '1900-01-01' + (keyed.alive_key // 4)::integer, export_day.export_on)
        end as day
    from keyed
    left join core.subject as subject using (usubjid)
    left join export_day using (center_id)
    where keyed.alive_key is not null
),
latest as (
    select
        dated.usubjid,
        max(dated.alive_key) as alive_key,
        max(dated.day) as alive_on,
        -- On equal days the follow-up form is the natural source.
        arg_max(dated.domain, (dated.day, dated.domain = 'FOLLOW_UP')) as domain
    from dated
    left join vital using (usubjid)
    -- A record after death is a finding (DAT-24, DAT-25) and no evidence of life.
    where vital.death_last_day is null or dated.day <= vital.death_last_day
    group by dated.usubjid
)
select
    usubjid,
    alive_on,
    domain,
    case alive_key % 4 when 2 then 'month' when 1 then 'year' else 'day' end as day_precision
from latest
