-- analysis.alternative_adsl
-- Grain:   one row per setting, value and patient whose row of adsl is another one under it: CHANGED; JOINED, who is
--          not in adsl; LEFT, who is not in the cohort then (only the identifiers are filled).
-- Reads:   analysis.adsl, for its columns.
-- Feeds:   sensitivity of the models and medians.
create or replace table analysis.alternative_adsl as
select ''::varchar as SETTING, ''::varchar as VALUE, ''::varchar as CHANGE, adsl.*
from analysis.adsl as adsl
limit 0
