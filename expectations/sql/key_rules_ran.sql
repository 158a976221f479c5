-- key_rules_ran
-- Grain:   center with a delivery in force and key rule.
-- Reads:   quality.check_run, quality.delivery.
-- Feeds:   AUD-16.
-- Key rules without which deaths, dates or patients may be wrong and nobody is told.
with run as (
    select
        d.center_id::varchar as center_id,
        c.rule_id,
        c."table",
        c.outcome = 'not_run' as not_run,
        -- A table that is not sent has no rows to judge.
        c.outcome = 'not_run' and coalesce(c.reason = 'table ' || c."table" || ' is not delivered', false)
            as is_absent
    from quality.delivery as d
    join quality.check_run as c using (delivery_key)
    where d.is_current
        and c.rule_id in (
            'SUR-02', 'SUR-03', 'DAT-12', 'DAT-13', 'DAT-17', 'DAT-20', 'STR-02', 'STR-03'
        )
),
-- An append center may have sent the table in another delivery in force.
by_table as (
    select
        center_id,
        rule_id,
        "table",
        bool_or(not_run and not is_absent) or (bool_and(is_absent) and rule_id <> 'STR-03') as not_run
    from run
    group by center_id, rule_id, "table"
)
select
    center_id,
    rule_id,
    count(*) filter (not_run)::bigint as n_not_run,
    n_not_run > 0 as bad
from by_table
group by center_id, rule_id
order by center_id, rule_id
