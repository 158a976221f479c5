-- endpoint_order
-- Grain:   relation between two endpoints.
-- Reads:   analysis.adtte.
-- Feeds:   AUD-19.
-- Rule SUR-09.
-- Subjects whose endpoints contradict each other: progression-free survival longer than survival, a next
-- treatment after death, a response that does not end where progression-free survival does.
with ends as (
    select
        USUBJID,
        max(ADT) filter (where PARAMCD = 'OS') as os_on,
        max(CNSR) filter (where PARAMCD = 'OS') as os_cnsr,
        max(ADT) filter (where PARAMCD = 'PFS') as pfs_on,
        max(CNSR) filter (where PARAMCD = 'PFS') as pfs_cnsr,
        max(ADT) filter (where PARAMCD = 'RSD') as rsd_on,
        max(CNSR) filter (where PARAMCD = 'RSD') as rsd_cnsr,
        max(ADT) filter (where PARAMCD = 'TTNT') as next_on
    from analysis.adtte
    group by USUBJID
),
judged as (
    select 'PFS is not longer than OS' as relation, count(pfs_on - os_on) as n_rows,
        count(*) filter (where pfs_on > os_on) as n_bad
    from ends
    union all
    select 'TTNT is not longer than OS of the dead', count(next_on - os_on) filter (where os_cnsr = 0),
        count(*) filter (where os_cnsr = 0 and next_on > os_on)
    from ends
    union all
    select 'The event of RSD is that of PFS', count(*) filter (where rsd_cnsr = 0),
        count(*) filter (where rsd_cnsr = 0 and (pfs_cnsr, pfs_on) is distinct from (0, rsd_on))
    from ends
)
select relation, n_rows::bigint as n_rows, n_bad::bigint as n_bad, n_bad > 0 as bad
from judged
order by relation
