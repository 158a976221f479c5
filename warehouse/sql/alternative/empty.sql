-- analysis.alternative
-- Grain:   one row per setting and value that the study has not chosen: how much is another one under it.
-- Reads:   nothing here; warehouse/alternatives.py fills it.
-- Feeds:   sensitivity of the models and medians.
create or replace table analysis.alternative (
    setting varchar not null,
    value varchar not null,
    n_changed bigint not null,
    n_joined bigint not null,
    n_left bigint not null,
    n_times bigint not null,
    position integer not null
)
