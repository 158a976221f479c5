-- rules_judged
-- Grain:   delivery in force.
-- Reads:   quality.rule, quality.check_run, quality.delivery.
-- Feeds:   AUD-07.
-- Rules without an outcome, or with an error: a check that did not run must say so.
select
    d.center_id::varchar as center_id,
    d.delivery_id,
    count(*) filter (c.n_runs is null)::bigint as n_bad,
    coalesce(sum(c.errors_in_run), 0)::bigint as n_errors,
    n_bad > 0 or n_errors > 0 as bad
from quality.delivery as d
cross join quality.rule as r
left join (
    select delivery_key, rule_id, count(*) as n_runs, count(*) filter (outcome = 'error') as errors_in_run
    from quality.check_run
    group by all
) as c on c.delivery_key = d.delivery_key and c.rule_id = r.rule_id
where d.is_current
group by d.center_id, d.delivery_id
order by all
