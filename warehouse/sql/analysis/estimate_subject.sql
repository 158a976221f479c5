-- analysis.estimate_subject
-- Grain:   one row per display, row, level and patient behind it.
-- Reads:   nothing here; reports/estimates.py fills it.
-- Feeds:   tracing a number of the report back to its patients.
create or replace table analysis.estimate_subject (
    display varchar not null,
    population varchar not null,
    "row" varchar not null,
    level varchar,
    usubjid varchar not null
)
