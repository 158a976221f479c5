-- temp.profile
-- Grain:   one row per patient of the warehouse with what rests neither on the first salvage nor on an alternative
--          setting: risk, refractoriness, exposure, stages, cytogenetics, disease before CAR-T.
-- Reads:   core.subject, and the steps that it joins.
-- Feeds:   analysis.adsl, which runs again under other settings: it joins one table then, not seven.
create or replace temp table profile as
select
    subject.usubjid,
    risk_reported.* exclude (usubjid),
    refractory.* exclude (usubjid),
    prior_bcma_drug.* exclude (usubjid),
    staging_chosen.* exclude (usubjid),
    cytogenetic_risk.* exclude (usubjid),
    staging_mycare.* exclude (usubjid),
    extramedullary_before.* exclude (usubjid)
from core.subject as subject
left join risk_reported using (usubjid)
left join refractory using (usubjid)
left join prior_bcma_drug using (usubjid)
left join staging_chosen using (usubjid)
left join cytogenetic_risk using (usubjid)
left join staging_mycare using (usubjid)
left join extramedullary_before using (usubjid)
