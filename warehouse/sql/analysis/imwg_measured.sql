-- temp.imwg_measured
-- Grain:   one row per patient, line and day with measurements, and one per report whose day is not known.
--          A report counts under its own line. Laboratory days count after the start of a line up to the
--          next one; days up to the start, within 60 days, are where a line's baseline is looked for.
--          A day with a new lesion is one of its line.
-- Reads:   temp.imwg_report, temp.imwg_lab, temp.imwg_lesion, temp.imwg_period.
-- Feeds:   transforms/derive/imwg, analysis.imwg_response.
create or replace temp table imwg_measured as
with placed as (
    select usubjid, line_number, day, 1 as origin, row_id, choice, m_serum, m_urine, is_serum_bound, is_urine_bound,
        flc_kappa, flc_lambda, is_flc_bound, flc_ratio, marrow, immunofixation, clonal_marrow, progression_basis,
        null as new_lesion
    from imwg_report
    where day is not null
    union all
    select period.usubjid, period.line_number, lab.day, 2, null, null, m_serum, m_urine, is_serum_bound, is_urine_bound,
        flc_kappa, flc_lambda, is_flc_bound, flc_ratio, marrow, immunofixation, null, null, null
    from imwg_lab as lab
    inner join imwg_period as period using (usubjid)
    where lab.day >= period.line_start - 60 and (period.next_line_on is null or lab.day <= period.next_line_on)
    union all
    select period.usubjid, period.line_number, report.day, 3, null, null, m_serum, m_urine, is_serum_bound, is_urine_bound,
        flc_kappa, flc_lambda, is_flc_bound, flc_ratio, marrow, immunofixation, null, null, null
    from imwg_report as report
    inner join imwg_period as period using (usubjid)
    where
        report.line_number != period.line_number
        and report.day between period.line_start - 60 and period.line_start
    union all
    select period.usubjid, period.line_number, lesion.day, 2, null, null, null, null, null, null,
        null, null, null, null, null, null, null, null, lesion.new_lesion
    from imwg_lesion as lesion
    inner join imwg_period as period using (usubjid)
    where lesion.day > period.line_start and (period.next_line_on is null or lesion.day <= period.next_line_on)
),
merged as (
    select
        usubjid,
        line_number,
        day,
        arg_min(row_id, choice) as response_row_id,
        imwg_sourced(m_serum, origin, is_serum_bound) as m_serum,
        bool_or(m_serum is not null) and imwg_sourced(m_serum, origin, is_serum_bound) is null as is_serum_doubtful,
        bool_or(m_urine is not null) and imwg_sourced(m_urine, origin, is_urine_bound) is null as is_urine_doubtful,
        imwg_sourced(m_urine, origin, is_urine_bound) as m_urine,
        imwg_sourced(m_serum, origin, is_serum_bound)
        = imwg_sourced(case when is_serum_bound then m_serum end, origin, is_serum_bound) as is_serum_bound,
        imwg_sourced(m_urine, origin, is_urine_bound)
        = imwg_sourced(case when is_urine_bound then m_urine end, origin, is_urine_bound) as is_urine_bound,
        imwg_sourced(flc_kappa, origin, is_flc_bound) as flc_kappa,
        imwg_sourced(flc_lambda, origin, is_flc_bound) as flc_lambda,
        bool_or(is_flc_bound) as is_flc_bound,
        imwg_sourced(flc_ratio, origin, false) as flc_ratio,
        imwg_sourced(marrow, origin, false) as marrow,
        imwg_sourced(immunofixation, origin, false) as immunofixation,
        max(clonal_marrow) as clonal_marrow,
        max(progression_basis) as progression_basis,
        bool_or(new_lesion) as new_lesion
    from placed
    group by usubjid, line_number, day
    union all
    select usubjid, line_number, null, row_id, m_serum, false, false, m_urine, is_serum_bound, is_urine_bound, flc_kappa, flc_lambda,
        is_flc_bound, flc_ratio, marrow, immunofixation, clonal_marrow, progression_basis, null
    from imwg_report
    where day is null
)
select
    merged.usubjid as patient_id,
    merged.line_number,
    merged.day as assessed_on,
    merged.response_row_id,
    period.line_start,
    period.next_line_on,
    period.plasmacytoma_before,
    -- Below what the laboratory can measure, and not seen on immunofixation: none.
    case when is_serum_bound and immunofixation = 'NEGATIVE' then 0 else m_serum end as m_serum,
    case when is_urine_bound and immunofixation = 'NEGATIVE' then 0 else m_urine end as m_urine,
    flc_kappa,
    flc_lambda,
    case
        when not is_flc_bound and (flc_kappa > 0 or flc_lambda > 0)
            then case when flc_lambda > 0 then flc_kappa / flc_lambda else 'infinity'::double end
        else flc_ratio
    end as flc_ratio,
    marrow,
    -- The one column of the reports is taken as the result in serum and urine; beside amounts that contradict
    -- each other it proves nothing.
    case when not is_serum_doubtful then immunofixation end as ife_serum,
    case when not is_urine_doubtful then immunofixation end as ife_urine,
    clonal_marrow,
    progression_basis,
    new_lesion
from merged
left join imwg_period as period using (usubjid, line_number)
order by merged.usubjid, merged.line_number, merged.day, merged.response_row_id
