-- temp.progression_day
-- Grain:   one row per progression after CAR-T known to the day: reported for a line, or a later relapse.
-- Reads:   core.response, core.relapse, temp.index_relapse.
-- Feeds:   transforms/derive/lines.py: a bridge followed by progression is a line of its own.
create or replace temp table progression_day as
select usubjid as patient_id, response_date as progression_date
from core.response
where
    (kind = 'PROGRESSION' or category = 'PD')
    and line_number >= 1
    and response_date is not null
    and coalesce(response_date_precision, 'day') = 'day'
union all
select relapse.usubjid, relapse.relapse_date
from core.relapse as relapse
inner join index_relapse using (usubjid)
where
    relapse.row_id != index_relapse.row_id
    and relapse.relapse_date is not null
    and coalesce(relapse.relapse_date_precision, 'day') = 'day'
