-- analysis.alternative_adtte
-- Grain:   one row per setting, value, patient and endpoint whose row of adtte (ANALYSIS = PRIMARY) is another one under
--          it; AVAL is null where the time cannot be told then. AVALM alone is no difference: month length.
-- Reads:   analysis.adtte, for its columns.
-- Feeds:   sensitivity of the models and medians.
create or replace table analysis.alternative_adtte as
select ''::varchar as SETTING, ''::varchar as VALUE, adtte.*
from analysis.adtte as adtte
limit 0
