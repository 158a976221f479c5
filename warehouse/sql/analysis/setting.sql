-- temp.setting
-- Grain:   one row: the decisions of study.yaml that the steps below follow.
-- Reads:   the parameters $study_id, $data_cut, ... from warehouse/analysis.py.
-- Feeds:   every step of warehouse/sql/analysis.
create or replace temp table setting as
select
    $study_id::varchar as study_id,
    $data_cut::date as data_cut,
    $early_months_1::double as early_months_1,
    $early_months_2::double as early_months_2,
    $early_if_equal::boolean as early_if_equal,
    $time_zero::varchar as time_zero,
    $best_response_window::varchar as best_response_window,
    $ne_is_nonresponder::boolean as ne_is_nonresponder,
    $pfs_censoring::varchar as pfs_censoring,
    $emd_without_imaging::varchar as emd_without_imaging,
    $days_per_month::double as days_per_month
