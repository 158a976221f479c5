-- temp.index_relapse
-- Grain:   one row per patient: the first relapse that can lie after the index infusion.
-- Reads:   core.relapse, temp.index_infusion.
-- Feeds:   the cohort, RELDT, TTRLPM, EMDRELFL.
create or replace temp table index_relapse as
select
    relapse.usubjid,
    relapse.row_id,
    relapse.relapse_number,
    relapse.relapse_date as relapse_first_day,
    latest_day(relapse.relapse_date, relapse.relapse_date_precision) as relapse_last_day,
    relapse.relapse_date_precision,
    relapse.emd,
    relapse.emd_type,
    relapse.imaging_modality
from core.relapse as relapse
inner join index_infusion using (usubjid)
where latest_day(relapse.relapse_date, relapse.relapse_date_precision) > index_infusion.infusion_first_day
qualify row_number() over (
    partition by relapse.usubjid
    order by relapse.relapse_date, relapse.relapse_number, relapse.row_id
) = 1
