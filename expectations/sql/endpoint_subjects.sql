-- endpoint_subjects
-- Grain:   endpoint: overall and progression-free survival, duration of response.
-- Reads:   analysis.adsl, analysis.adtte, analysis.exclusion.
-- Feeds:   AUD-18.
-- Rule SUR-08.
-- Subjects that should have a time or a reason for none (all; for the duration of response the responders)
-- and have neither or both, and times of subjects that should have none.
with wanted as (
    select parameter.paramcd, a.USUBJID, parameter.paramcd != 'RSD' or a.RESPFL = 'Y' as is_due
    from analysis.adsl as a
    cross join (values ('OS'), ('PFS'), ('RSD')) as parameter(paramcd)
),
told as (
    select
        wanted.*,
        (
            select count(*) from analysis.adtte as t
            where t.USUBJID = wanted.USUBJID and t.PARAMCD = wanted.paramcd
        ) as n_times,
        (
            select count(*) from analysis.exclusion as e
            where e.USUBJID = wanted.USUBJID and e.PARAMCD = wanted.paramcd
        ) as n_reasons
    from wanted
)
select
    paramcd,
    count(*) filter (where is_due)::bigint as n_due,
    count(*) filter (where n_times > 0)::bigint as n_timed,
    count(*) filter (where is_due is true and n_times + n_reasons != 1)::bigint as n_unbalanced,
    count(*) filter (where is_due is not true and n_times > 0)::bigint as n_not_due,
    n_unbalanced + n_not_due as n_bad,
    n_bad > 0 as bad
from told
group by paramcd
order by all
