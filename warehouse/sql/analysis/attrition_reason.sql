-- temp.attrition_reason
-- Grain:   one row per reason why a patient is not in the cohort, in the order in which they are asked.
-- Reads:   nothing.
-- Feeds:   analysis.attrition.
create or replace temp table attrition_reason as
select *
from (
    values
    (1, 'NO_INDEX_INFUSION', 'No first CAR-T infusion on record'),
    (2, 'INFUSION_HELD', 'The first infusion is held back until the center answers'),
    (3, 'OTHER_PRODUCT', 'First product is not ide-cel or cilta-cel'),
    (4, 'TRIAL_PRODUCT', 'CAR-T product given in a trial'),
    (5, 'INFUSION_DATE_INCOMPLETE', 'Infusion date missing or known by year only'),
    (6, 'NO_RELAPSE', 'No relapse after CAR-T on record'),
    (7, 'RELAPSE_HELD', 'The relapse is held back until the center answers'),
    (8, 'RELAPSE_NOT_AFTER_INFUSION', 'No relapse that can lie after the infusion'),
    (9, 'RELAPSE_DATE_INCOMPLETE', 'Relapse date known by year only'),
    (10, 'NO_SALVAGE', 'No salvage line after the relapse'),
    (11, 'SALVAGE_HELD', 'The first salvage is held back until the center answers'),
    (12, 'SALVAGE_START_INCOMPLETE', 'Start of the first salvage known by year only'),
    (13, 'SALVAGE_AFTER_DATA_CUT', 'First salvage starts after the data cut'),
    (14, 'CENTER_DEFINITION', 'The center defines a variable that the study asks for otherwise')
) as listed(step, reason, label)
