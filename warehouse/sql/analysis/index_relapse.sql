-- temp.index_relapse
-- Grain:   one row per patient: the first relapse that can lie after the index infusion. A relapse that surely
--          lies before another comes first; where partial dates leave the order open, the number decides.
-- Reads:   core.relapse, temp.index_infusion.
-- Feeds:   the cohort, RELDT, TTRLPM, EMDRELFL. `other_last_day`: the relapse is not after it.
create or replace temp table index_relapse as
with possible as (
    select
        relapse.*,
        latest_day(relapse.relapse_date, relapse.relapse_date_precision) as last_day,
        min(latest_day(relapse.relapse_date, relapse.relapse_date_precision)) over (partition by relapse.usubjid)
            as other_last_day
    from core.relapse as relapse
    inner join index_infusion using (usubjid)
    where latest_day(relapse.relapse_date, relapse.relapse_date_precision) > index_infusion.infusion_first_day
)
select
    usubjid,
    row_id,
    relapse_number,
    relapse_date as relapse_first_day,
    last_day as relapse_last_day,
    other_last_day,
    relapse_date_precision,
    emd,
    emd_type,
    imaging_modality
from possible
where relapse_date <= other_last_day
qualify row_number() over (partition by usubjid order by relapse_number, relapse_date, row_id) = 1
