-- temp.imwg_report
-- Grain:   one row per reported response that has a measurement, or a progression on imaging or signs.
-- Reads:   core.response.
-- Feeds:   temp.imwg_measured.
create or replace temp table imwg_report as
with read as (
    select
        usubjid,
        row_id,
        line_number,
        case when coalesce(response_date_precision, 'day') = 'day' then response_date end as day,
        -- The worst of a day stands for it; a best response only where nothing else is told.
        struct_pack(
            is_best := kind = 'BEST',
            place := list_position(['PD', 'LTPR', 'SD', 'MR', 'PR', 'VGPR', 'CR', 'sCR', 'NE'], category::varchar),
            last := row_id
        ) as choice,
        imwg_value(m_protein_serum, m_protein_serum_comparator, 10) as m_serum,
        imwg_value(m_protein_urine, m_protein_urine_comparator, 200) as m_urine,
        coalesce(m_protein_serum_comparator in ('<', '<='), false) as is_serum_bound,
        coalesce(m_protein_urine_comparator in ('<', '<='), false) as is_urine_bound,
        imwg_value(flc_kappa, flc_kappa_comparator, 100) as flc_kappa,
        imwg_value(flc_lambda, flc_lambda_comparator, 100) as flc_lambda,
        coalesce(flc_kappa_comparator != '~', false) or coalesce(flc_lambda_comparator != '~', false) as is_flc_bound,
        null::double as flc_ratio,
        imwg_value(marrow_plasma_cells, marrow_plasma_cells_comparator, 30) as marrow,
        case when immunofixation in ('NEGATIVE', 'POSITIVE') then immunofixation::varchar end as immunofixation,
        case when mrd = 'NEGATIVE' and (mrd_method is null or mrd_method != 'IMAGING') then 'NEGATIVE' end as clonal_marrow,
        case
            when (kind = 'PROGRESSION' or category = 'PD') and progression_basis in ('IMAGING', 'CLINICAL')
                then progression_basis::varchar
        end as progression_basis,
        coalesce(m_protein_serum, m_protein_urine, flc_kappa, flc_lambda, marrow_plasma_cells) is not null as is_measured
    from core.response
)
select * exclude (is_measured)
from read
where
    is_measured
    or immunofixation is not null
    or progression_basis is not null
