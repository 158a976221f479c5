-- temp.analysed_response (setting response_analysed: derived)
-- Grain:   one row per patient, line (from the first salvage on) and day whose category was derived from
--          measurements. `is_in_course`: up to the first derived progression of the line, that included.
-- Reads:   temp.imwg_assessed, temp.timeline, temp.setting.
-- Feeds:   temp.best_response, temp.first_response, analysis.adrs.
-- A day that only a center judged has no row: what cannot be derived is not known.
create or replace temp table analysed_response as
with progressed as (
    select patient_id, line_number, min(assessed_on) as pd_on
    from imwg_assessed
    where category = 'PD'
    group by patient_id, line_number
)
select
    assessed.patient_id as usubjid,
    assessed.response_row_id as row_id,
    assessed.line_number,
    assessed.line_number = timeline.line_number as is_first_salvage,
    'ASSESSMENT' as kind,
    assessed.category,
    assessed.category = 'PD' as is_progression,
    case assessed.category
        when 'sCR' then 7 when 'CR' then 6 when 'VGPR' then 5 when 'PR' then 4
        when 'MR' then 3 when 'SD' then 2 when 'PD' then 1
    end as depth,
    assessed.assessed_on as adt,
    null::varchar as adtf,
    assessed.pd_basis as basis,
    progressed.pd_on is null or assessed.assessed_on <= progressed.pd_on as is_in_course,
    'IMWG_RESPONSE' as domain
from imwg_assessed as assessed
inner join timeline on assessed.patient_id = timeline.usubjid
left join progressed
    on assessed.patient_id = progressed.patient_id and assessed.line_number = progressed.line_number
cross join setting
where
    assessed.category is not null
    and assessed.line_number >= timeline.line_number
    and (setting.data_cut is null or assessed.assessed_on is null or assessed.assessed_on <= setting.data_cut)
