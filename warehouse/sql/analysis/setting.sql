-- temp.setting
-- Grain:   one row: the decisions of study.yaml that the steps below follow.
-- Reads:   the variables that warehouse/analysis.py sets.
-- Feeds:   every step of warehouse/sql/analysis.
create or replace temp table setting as
select
    getvariable('study_id')::varchar as study_id,
    getvariable('data_cut')::date as data_cut,
    getvariable('early_months_1')::double as early_months_1,
    getvariable('early_months_2')::double as early_months_2,
    getvariable('early_if_equal')::boolean as early_if_equal,
    getvariable('bridge_days')::integer as bridge_days,
    getvariable('time_zero')::varchar as time_zero,
    getvariable('best_response_window')::varchar as best_response_window,
    getvariable('response_analysed')::varchar as response_analysed,
    getvariable('ne_is_nonresponder')::boolean as ne_is_nonresponder,
    getvariable('pfs_censoring')::varchar as pfs_censoring,
    getvariable('emd_without_imaging')::varchar as emd_without_imaging,
    getvariable('mycare_ferritin_limit')::double as mycare_ferritin_limit,
    getvariable('completion')::varchar as completion,
    getvariable('days_per_month')::double as days_per_month
