-- center_shares
-- Grain:   center and share: deaths, responses to the first salvage.
-- Reads:   analysis.adsl.
-- Feeds:   AUD-31.
-- A center's share against that of all others together: Fisher's exact test, two-sided (the probabilities of all
-- tables that are not more probable than the one seen), adjusted by Holm over centers and shares. Told where
-- the adjusted P value is small and the shares are far apart: in a large study every difference is significant.
with counted as (
    select SITEID::varchar as center_id, 'deaths' as variable,
        count(*) filter (DTHFL = 'Y') as n_with, count(DTHFL) as n
    from analysis.adsl group by all
    union all
    select SITEID::varchar, 'responses', count(*) filter (RESPFL = 'Y'), count(RESPFL)
    from analysis.adsl group by all
),
total as (
    select *, sum(n_with) over (partition by variable) as all_with, sum(n) over (partition by variable) as all_n
    from counted
    where n > 0
),
logs as (
    select
        center_id, variable, n_with, n, all_with, all_n, x,
        lgamma(all_with + 1) - lgamma(x + 1) - lgamma(all_with - x + 1)
        + lgamma(all_n - all_with + 1) - lgamma(n - x + 1) - lgamma(all_n - all_with - n + x + 1) as log_p
    from (
        select *, unnest(range(greatest(0, n + all_with - all_n)::bigint, least(n, all_with)::bigint + 1)) as x
        from total
        where n < all_n
    )
),
tested as (
    select
        center_id, variable, n_with, n,
        n_with / n as share,
        (all_with - n_with) / (all_n - n) as share_others,
        least(1, sum(exp(log_p - seen)) filter (log_p <= seen + 1e-7) / sum(exp(log_p - seen))) as p
    from (select *, max(log_p) filter (x = n_with) over (partition by center_id, variable) as seen from logs)
    group by center_id, variable, n_with, n, all_with, all_n
),
stepped as (
    select *, (count(*) over () + 1 - row_number() over by_p) * p as step from tested
    window by_p as (order by p, center_id, variable)
)
select
    center_id,
    variable,
    n::bigint as n,
    round(share, 4) as share,
    round(share_others, 4) as share_others,
    round(least(1, max(step) over (order by p, center_id, variable)), 6) as p_holm,
    (p_holm < {p} and abs(share - share_others) > {apart})::int as n_bad,
    n_bad > 0 as bad
from stepped
order by center_id, variable
