-- medians
-- Grain:   endpoint (overall and progression-free survival) and group, the whole cohort among them.
-- Reads:   analysis.adtte, temp.audit_bound.
-- Feeds:   AUD-30.
-- Median times by Kaplan and Meier, as adtte gives them, against what is plausible: bounds that the study sets, else
-- wide ones. Groups with few patients or events are not judged. A median of progression-free survival above that of
-- survival is not plausible either.
with time as (
    select PARAMCD, unnest([GRP4, 'ALL']) as "group", AVALM, CNSR = 0 as is_event
    from analysis.adtte
    where PARAMCD in ('OS', 'PFS') and ANALYSIS = 'PRIMARY' and AVALM is not null
),
step as (
    select PARAMCD, "group", AVALM, count(*) as n, count(*) filter (is_event) as n_events from time group by all
),
risk as (
    select *, sum(n) over (partition by PARAMCD, "group" order by AVALM desc) as n_at_risk from step
),
alive as (
    select *,
        exp(sum(case when n_events = n_at_risk then -1000 else ln(1 - n_events / n_at_risk) end)
            over (partition by PARAMCD, "group" order by AVALM)) as survival
    from risk
),
middle as (
    select PARAMCD as endpoint, "group", sum(n) as n, sum(n_events) as n_events,
        min(AVALM) filter (survival <= 0.5 + 1e-9) as months
    from alive group by all
),
judged as (
    select
        m.*,
        os.months as os_months,
        os.n_events as os_events,
        coalesce(own.low, general.low, case m.endpoint when 'OS' then {os_low} else {pfs_low} end) as low,
        coalesce(own.high, general.high, case m.endpoint when 'OS' then {os_high} else {pfs_high} end) as high
    from middle as m
    left join temp.audit_bound as own on own.endpoint = m.endpoint and own."group" = m."group"
    left join temp.audit_bound as general on general.endpoint = m.endpoint and general."group" is null
    left join middle as os on os.endpoint = 'OS' and os."group" = m."group" and m.endpoint = 'PFS'
)
select
    endpoint,
    "group",
    n::bigint as n,
    n_events::bigint as n_events,
    round(months, 2) as months,
    low,
    high,
    coalesce(months not between low and high, false)::int as n_implausible,
    coalesce(months > os_months + 0.05, false)::int as n_above_survival,
    n_implausible + n_above_survival as n_bad,
    n_bad > 0 as bad
from judged
where n >= {patients} and n_events >= {events}
order by endpoint, "group"
