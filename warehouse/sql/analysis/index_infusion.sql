-- temp.index_infusion
-- Grain:   one row per patient with an index infusion (number 1).
-- Reads:   core.infusion.
-- Feeds:   the cohort, CARTDT, AGE, NPRLINE, ECOG, PBCMAFL.
create or replace temp table index_infusion as
select
    usubjid,
    product,
    setting,
    infusion_date as infusion_first_day,
    latest_day(infusion_date, infusion_date_precision) as infusion_last_day,
    infusion_date_precision,
    lymphodepletion_date,
    age_at_infusion,
    prior_lines,
    prior_bcma,
    ecog
from core.infusion
where infusion_number = 1
qualify row_number() over (partition by usubjid order by infusion_date, row_id) = 1
