-- rules_judged
-- Grain: delivery in force.
-- Reads: quality.rule, quality.check_run, quality.delivery. Feeds: AUD-07.
-- Rules without an outcome: a check that did not run must say so.
select
    d.center_id,
    d.delivery_id,
    count(*) filter (where c.rule_id is null)::bigint as n_bad,
    count(*) filter (where c.outcome = 'error')::bigint as n_errors,
    n_bad > 0 or n_errors > 0 as bad
from quality.delivery as d
cross join quality.rule as r
left join (select distinct delivery_id, rule_id, outcome from quality.check_run) as c
    on c.delivery_id = d.delivery_id and c.rule_id = r.rule_id
where d.is_current
group by d.center_id, d.delivery_id
order by all;
