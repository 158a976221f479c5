-- analysis.alternative: the rows of all alternatives
-- Grain:   as there.
-- Reads:   the settings and values named, analysis.alternative_adsl, analysis.alternative_adtte.
-- Feeds:   sensitivity of the models and medians.
insert into analysis.alternative by name
with patients as (
    select
        SETTING,
        VALUE,
        count(*) filter (where CHANGE = 'CHANGED') as n_changed,
        count(*) filter (where CHANGE = 'JOINED') as n_joined,
        count(*) filter (where CHANGE = 'LEFT') as n_left
    from analysis.alternative_adsl
    group by SETTING, VALUE
),
times as (
    select SETTING, VALUE, count(*) as n_times
    from analysis.alternative_adtte
    group by SETTING, VALUE
)
select
    other.setting,
    other.value,
    coalesce(patients.n_changed, 0) as n_changed,
    coalesce(patients.n_joined, 0) as n_joined,
    coalesce(patients.n_left, 0) as n_left,
    coalesce(times.n_times, 0) as n_times,
    other.position
from (values ${alternatives}) as other(setting, value, position)
left join patients on patients.SETTING = other.setting and patients.VALUE = other.value
left join times on times.SETTING = other.setting and times.VALUE = other.value
