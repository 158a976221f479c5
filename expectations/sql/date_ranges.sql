-- date_ranges
-- Grain:   center and key date.
-- Reads:   core, quality.delivery, quality.check_run.
-- Feeds:   AUD-25.
-- Whole months from the last date of a center to the day of its delivery (95th of 100, at least the second from the
-- end), and from its first one (5th of 100, at least the second), against the same of the other centers. A column that stops long before those of the others, or
-- begins long before them, is told: an export with a filter, a column that is no longer kept, a wrong century.
-- Centers that shift their dates on purpose are left out. One stray date makes no range: hence not the extremes.
with told as (
    select center_id::varchar as center_id, 'infusion.infusion_date' as variable, infusion_date as told_on from core.infusion
    union all select center_id::varchar, 'relapse.relapse_date', relapse_date from core.relapse
    union all select center_id::varchar, 'treatment_line.start_date', start_date from core.treatment_line where line_number > 0
    union all select center_id::varchar, 'response.response_date', response_date from core.response where line_number > 0
    union all select center_id::varchar, 'lab.lab_date', lab_date from core.lab
    union all select center_id::varchar, 'follow_up.last_contact_date', last_contact_date from core.follow_up
),
sent as (
    select center_id::varchar as center_id, max(received_on) as received_on
    from quality.delivery
    where is_current and outcome = 'loaded' and center_id::varchar not in (
        select d.center_id::varchar
        from quality.delivery as d
        join quality.check_run as c using (delivery_key)
        where d.is_current and c.outcome = 'not_applicable' and starts_with(c.reason, 'the center shifted its dates')
    )
    group by all
),
ranged as (
    select
        center_id,
        variable,
        count(*) as n_dates,
        date_diff('month', least(quantile_disc(told_on, 0.95), max(told_on, 2)[2]), any_value(received_on)) as ends_before,
        date_diff('month', greatest(quantile_disc(told_on, 0.05), min(told_on, 2)[2]), any_value(received_on)) as begins_before
    from told
    join sent using (center_id)
    where told_on is not null
    group by all
    having count(*) >= {dates}
),
against as (
    select
        mine.*,
        count(*) as n_others,
        median(o.ends_before) as others_end,
        1.4826 * mad(o.ends_before) as end_spread,
        median(o.begins_before) as others_begin,
        1.4826 * mad(o.begins_before) as begin_spread
    from ranged as mine
    join ranged as o on o.variable = mine.variable and o.center_id <> mine.center_id
    group by all
)
select
    center_id,
    variable,
    n_dates::bigint as n_dates,
    n_others::bigint as n_others,
    ends_before::double as months_to_delivery,
    others_end as others_months_to_delivery,
    begins_before::double as months_from_first,
    others_begin as others_months_from_first,
    (ends_before - others_end > greatest({months}, {deviations} * end_spread))::int as n_stopped,
    (begins_before - others_begin > greatest({early}, {deviations} * begin_spread))::int as n_early,
    n_stopped + n_early as n_bad,
    n_bad > 0 as bad
from against
where n_others >= {others}
order by center_id, variable
