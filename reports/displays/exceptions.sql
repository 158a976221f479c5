-- exceptions
-- Grain:   center, rule, who confirmed and whether the rule holds the row.
-- Reads:   quality.exception, quality.rule.
-- Feeds:   the display QUERIES.
-- Values that were confirmed to be correct and have not changed since.
select
    e.center_id::varchar as center_id,
    e.rule_id,
    coalesce(r.title, e.rule_id) as title,
    e.confirmed_by,
    e.row_held,
    r.disposition,
    count(*) as n
from quality.exception as e
left join quality.rule as r on r.rule_id = e.rule_id
where e.holds
group by all
order by all
