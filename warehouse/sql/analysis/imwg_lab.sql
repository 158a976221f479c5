-- temp.imwg_lab
-- Grain:   one row per patient and day with a test that the IMWG criteria use.
-- Reads:   core.lab.
-- Feeds:   temp.imwg_measured.
create or replace temp table imwg_lab as
with test_value as (
    select
        usubjid,
        lab_date as day,
        test,
        imwg_value(
            value,
            value_comparator,
            case test when 'M_SERUM' then 10 when 'M_URINE' then 200 when 'BMPC' then 30 else 100 end
        ) as value,
        value_comparator is not null and value_comparator != '~' as is_bound,
        case when result in ('NEGATIVE', 'POSITIVE') then result end as result
    from core.lab
    where
        test in ('M_SERUM', 'M_URINE', 'FLC_KAPPA', 'FLC_LAMBDA', 'FLC_RATIO', 'BMPC', 'IFE')
        and lab_date is not null
        and coalesce(lab_date_precision, 'day') = 'day'
)
select
    usubjid,
    day,
    imwg_single(case when test = 'M_SERUM' then value end) as m_serum,
    imwg_single(case when test = 'M_URINE' then value end) as m_urine,
    bool_or(test = 'M_SERUM' and is_bound) as is_serum_bound,
    bool_or(test = 'M_URINE' and is_bound) as is_urine_bound,
    imwg_single(case when test = 'FLC_KAPPA' then value end) as flc_kappa,
    imwg_single(case when test = 'FLC_LAMBDA' then value end) as flc_lambda,
    bool_or(test in ('FLC_KAPPA', 'FLC_LAMBDA') and is_bound) as is_flc_bound,
    imwg_single(case when test = 'FLC_RATIO' and not is_bound then value end) as flc_ratio,
    imwg_single(case when test = 'BMPC' then value end) as marrow,
    imwg_single(case when test = 'IFE' then result::varchar end) as immunofixation
from test_value
group by usubjid, day
