-- analysis.estimate
-- Grain:   one row per number that a report prints, in the order of the display.
-- Reads:   nothing here; reports/estimates.py fills it.
-- Feeds:   reports/render.py, which prints nothing else.
create or replace table analysis.estimate (
    display varchar not null,
    endpoint varchar,
    population varchar not null,
    "row" varchar not null,
    level varchar,
    statistic varchar not null,
    value double,
    lower double,
    upper double,
    p double,
    n bigint,
    events bigint,
    method varchar,
    text varchar,
    time_months double,
    population_label varchar,
    row_label varchar,
    level_label varchar,
    position integer not null
)
