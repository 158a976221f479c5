-- analysis.alternative: the row of one alternative
-- Grain:   as there.
-- Reads:   analysis.alternative_adsl, analysis.alternative_adtte.
-- Feeds:   sensitivity of the models and medians.
insert into analysis.alternative by name
with patients as (
    select CHANGE from analysis.alternative_adsl where SETTING = ${setting} and VALUE = ${value}
),
times as (
    select count(*) as n_times
    from analysis.alternative_adtte
    where SETTING = ${setting} and VALUE = ${value}
)
select
    ${setting} as setting,
    ${value} as value,
    count(*) filter (where patients.CHANGE = 'CHANGED') as n_changed,
    count(*) filter (where patients.CHANGE = 'JOINED') as n_joined,
    count(*) filter (where patients.CHANGE = 'LEFT') as n_left,
    (select times.n_times from times) as n_times,
    ${position} as position
from patients
