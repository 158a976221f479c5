-- response_records
-- Grain:   parameter of analysis.adrs.
-- Reads:   analysis.adsl, analysis.adrs.
-- Feeds:   AUD-22.
-- Parameters that each subject has once: subjects without or with several records. Parameters by day: days
-- with several chosen records. All: records with one number, and a response that is not that of adsl.
with wanted as (
    select *
    from (
        values ('OVR', false), ('COVR', false), ('BOR', true), ('CBOR', true), ('RSP', true), ('PD', true)
    ) as listed(paramcd, is_single)
),
per_subject as (
    select wanted.paramcd, count(*) as n
    from analysis.adsl as a
    cross join wanted
    where wanted.is_single and (
        select count(*) from analysis.adrs as r where r.USUBJID = a.USUBJID and r.PARAMCD = wanted.paramcd
    ) != 1
    group by all
),
per_day as (
    select PARAMCD as paramcd, count(*) as n
    from (
        select PARAMCD from analysis.adrs
        where PARAMCD in ('OVR', 'COVR') and ANL01FL = 'Y'
        group by USUBJID, PARAMCD, SALVN, ADT
        having count(*) > 1
    )
    group by all
),
numbered as (
    select PARAMCD as paramcd, count(*) as n
    from (select PARAMCD, count(*) over (partition by USUBJID, RSSEQ) as n_same from analysis.adrs)
    where n_same > 1
    group by all
),
other_answer as (
    select r.PARAMCD as paramcd, count(*) as n
    from analysis.adrs as r
    inner join analysis.adsl as a using (USUBJID)
    where r.PARAMCD = 'RSP' and r.AVALC is distinct from a.RESPFL
    group by all
)
select
    wanted.paramcd,
    coalesce(per_subject.n, 0)::bigint as n_not_once,
    coalesce(per_day.n, 0)::bigint as n_days_twice,
    coalesce(numbered.n, 0)::bigint as n_numbered_twice,
    coalesce(other_answer.n, 0)::bigint as n_other_answer,
    n_not_once + n_days_twice + n_numbered_twice + n_other_answer as n_bad,
    n_bad > 0 as bad
from wanted
left join per_subject using (paramcd)
left join per_day using (paramcd)
left join numbered using (paramcd)
left join other_answer using (paramcd)
order by all
