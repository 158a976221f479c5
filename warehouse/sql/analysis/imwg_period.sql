-- temp.imwg_period
-- Grain:   one row per patient and line (0: the CAR-T itself) with the day it starts, if complete, and
--          the first day on which the next line can have started; whether a soft-tissue tumor is known.
-- Reads:   core.treatment_line, core.lesion, temp.index_infusion.
-- Feeds:   temp.imwg_measured.
create or replace temp table imwg_period as
with starts as (
    select usubjid, 0 as line_number, infusion_first_day as start_on, infusion_date_precision as start_precision
    from index_infusion
    union all
    select usubjid, line_number, start_date, start_date_precision
    from core.treatment_line
    qualify row_number() over (partition by usubjid, line_number order by start_date, row_id) = 1
),
tumor as (
    select distinct usubjid, timepoint = 'RELAPSE' as is_at_relapse
    from core.lesion
    where timepoint in ('BEFORE_CART', 'RELAPSE') and category != 'INTRAMEDULLARY'
)
select
    starts.usubjid,
    starts.line_number,
    case when coalesce(start_precision, 'day') = 'day' then start_on end as line_start,
    lead(start_on) over (partition by starts.usubjid order by starts.line_number) as next_line_on,
    case when tumor.usubjid is not null then true end as plasmacytoma_before
from starts
left join tumor on starts.usubjid = tumor.usubjid and (starts.line_number > 0) = tumor.is_at_relapse
