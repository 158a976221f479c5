-- analysis.adtox
-- Grain:   one row per patient of the cohort, CRS or ICANS, therapy that it belongs to, and scale: the highest grade.
--          Grades of different scales are never put together. ASTCTMIN is the lowest grade by ASTCT 2019 that
--          the support given or the ICE score allows; a reported grade below it differs (ASTCTDIF).
--          HELDFL: an event that is held back may belong to the row, and be the highest.
-- Reads:   temp.toxicity_period, temp.held_toxicity, temp.timeline, temp.setting.
-- Feeds:   analyses by SQL; ADSL has the first infusion's.
create or replace table analysis.adtox as
select
    setting.study_id as STUDYID,
    toxicity_period.usubjid as USUBJID,
    timeline.center_id as SITEID,
    toxicity_period.kind as PARAMCD,
    toxicity_period.period as PERIOD,
    toxicity_period.infusion_number as INFN,
    toxicity_period.scale as SCALE,
    max(toxicity_period.grade) as AVAL,
    count(*)::integer as NEVENT,
    min(toxicity_period.onset_first_day) filter (where toxicity_period.grade > 0) as ASTDT,
    arg_max(toxicity_period.row_id, (toxicity_period.grade, -toxicity_period.row_id)) as SRCSEQ,
    max(toxicity_period.lowest_grade)::integer as ASTCTMIN,
    case when bool_or(toxicity_period.is_too_low) then 'Y' when not bool_or(toxicity_period.is_too_low) then 'N' end as ASTCTDIF,
    case when bool_or(held_toxicity.kind is not null) then 'Y' end as HELDFL
from toxicity_period
inner join timeline using (usubjid)
cross join setting
left join held_toxicity
    on toxicity_period.usubjid = held_toxicity.usubjid
    and toxicity_period.kind = held_toxicity.kind
    and held_toxicity.part = case when toxicity_period.period = 'SALVAGE' then 'SALVAGE' else 'INFUSION' end
group by all
order by all
