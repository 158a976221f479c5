-- temp.attrition_reason
-- Grain:   one row per reason why a patient is not in the cohort, in the order in which they are asked.
-- Reads:   nothing.
-- Feeds:   analysis.attrition.
create or replace temp table attrition_reason as
select *
from (
    values
    (1, 'SCREENED_OUT', 'Screened out: not of the population of the study'),
    (2, 'ONLY_HELD', 'Nothing could be loaded: held back until the center answers'),
    (3, 'NO_INDEX_INFUSION', 'No first CAR-T infusion on record'),
    (4, 'INFUSION_HELD', 'The first infusion is held back until the center answers'),
    (5, 'OTHER_PRODUCT', 'First product is not ide-cel or cilta-cel'),
    (6, 'TRIAL_PRODUCT', 'CAR-T product given in a trial'),
    (7, 'INFUSION_DATE_INCOMPLETE', 'Infusion date missing or known by year only'),
    (8, 'NO_RELAPSE', 'No relapse after CAR-T on record'),
    (9, 'RELAPSE_HELD', 'The relapse is held back until the center answers'),
    (10, 'RELAPSE_NOT_AFTER_INFUSION', 'No relapse that can lie after the infusion'),
    (11, 'RELAPSE_DATE_INCOMPLETE', 'Relapse date known by year only'),
    (12, 'NO_SALVAGE', 'No salvage line after the relapse'),
    (13, 'SALVAGE_HELD', 'The first salvage is held back until the center answers'),
    (14, 'SALVAGE_START_INCOMPLETE', 'Start of the first salvage known by year only'),
    (15, 'SALVAGE_AFTER_DATA_CUT', 'First salvage starts after the data cut'),
    (16, 'CENTER_DEFINITION', 'The center defines a variable that the study asks for otherwise')
) as listed(step, reason, label)
