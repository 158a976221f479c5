-- temp.attrition_reason
-- Grain:   one row per reason why a patient is not in the cohort, in the order in which they are asked.
-- Reads:   nothing.
-- Feeds:   analysis.attrition.
create or replace temp table attrition_reason as
select *
from (
    values
    (1, 'NO_INDEX_INFUSION', 'No first CAR-T infusion on record'),
    (2, 'OTHER_PRODUCT', 'First product is not ide-cel or cilta-cel'),
    (3, 'TRIAL_PRODUCT', 'CAR-T product given in a trial'),
    (4, 'INFUSION_DATE_INCOMPLETE', 'Infusion date missing or known by year only'),
    (5, 'NO_RELAPSE', 'No relapse after CAR-T on record'),
    (6, 'RELAPSE_NOT_AFTER_INFUSION', 'No relapse that can lie after the infusion'),
    (7, 'RELAPSE_DATE_INCOMPLETE', 'Relapse date known by year only'),
    (8, 'NO_SALVAGE', 'No salvage line after the relapse'),
    (9, 'SALVAGE_START_INCOMPLETE', 'Start of the first salvage known by year only'),
    (10, 'SALVAGE_AFTER_DATA_CUT', 'First salvage starts after the data cut'),
    (11, 'CENTER_DEFINITION', 'The center defines a variable that the study asks for otherwise')
) as listed(step, reason, label)
