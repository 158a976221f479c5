-- profile
-- Grain:   figure, center, name and level: how many there are.
-- Reads:   quality.delivery, quality.ledger, quality.finding, quality.finding_field, meta.dictionary, core, analysis.adsl.
-- Feeds:   AUD-23 to AUD-29, as temp.audit_now; kept in the vault, the next load's temp.audit_before.
-- What a warehouse holds of each center: rows sent and rows kept of each table, patients of the cohort of whom a
-- variable is known, patients by level, and codes that say unknown or could not be read.
with in_force as (
    select delivery_key, center_id::varchar as center_id
    from quality.delivery
    where is_current and outcome = 'loaded'
),
moved as (
    select
        d.center_id,
        l."table" as name,
        sum(l.n_rows) filter (l.step = 'check' and l.outcome = 'in') as sent,
        coalesce(sum(l.n_rows) filter (l.step = 'check' and l.outcome = 'out'), 0)
        - coalesce(sum(l.n_rows) filter (l.step = 'load' and l.outcome = 'excluded'), 0) as "rows"
    from quality.ledger as l
    join in_force as d using (delivery_key)
    where l."table" is not null
    group by all
),
subject as (
    select
        SITEID::varchar as center_id,
        case when AGE < 50 then 'below 50' when AGE < 60 then '50 to 59' when AGE < 70 then '60 to 69'
            when AGE >= 70 then '70 and above' end as age,
        case when SEX::varchar in ('F', 'M') then SEX::varchar end as sex,
        GRP4 as "group",
        BESTRESP as response,
        AGE, NPRLINE, RISS, MYCARE, TRIPLFL, PENTAFL, PBCMAFL, EMDRELFL, LSTALVDT, DTHFL
    from analysis.adsl
),
known as (
    select
        center_id,
        count(*) as cohort,
        count(AGE) as AGE,
        count(sex) as SEX,
        count(NPRLINE) as NPRLINE,
        count(RISS) as RISS,
        count(MYCARE) as MYCARE,
        count(TRIPLFL) as TRIPLFL,
        count(PENTAFL) as PENTAFL,
        count(PBCMAFL) as PBCMAFL,
        count(EMDRELFL) as EMDRELFL,
        count(response) as BESTRESP,
        count(LSTALVDT) as LSTALVDT,
        count(DTHFL) as DTHFL
    from subject
    group by center_id
),
-- Rules of codes, responses and regimens that could not be read.
unread as (
    select d.center_id, f."table" || '.' || f."column" as name, count(distinct (delivery_key, finding_id)) as n
    from quality.finding as g
    join in_force as d using (delivery_key)
    join quality.finding_field as f using (delivery_key, finding_id)
    join meta.dictionary as m
        on m."schema" = 'core' and m."table" = f."table" and m."column" = f."column"
        and (m.codelist is not null or m."column" = 'drugs')
    where g.rule_id in ('STR-06', 'RSP-01', 'SAL-01')
    group by all
),
unknown as (
    select center_id::varchar as center_id, 'subject.sex' as name,
        count(*) filter (sex::varchar = 'U') as n, count(sex) as n_cells
    from core.subject group by all
    union all
    select center_id::varchar, 'relapse.emd', count(*) filter (emd::varchar = 'U'), count(emd)
    from core.relapse group by all
    union all
    select center_id::varchar, 'exposure.refractory', count(*) filter (refractory::varchar = 'U'), count(refractory)
    from core.exposure group by all
    union all
    select center_id::varchar, 'response.category', count(*) filter (category::varchar = 'NE'), count(category)
    from core.response group by all
    union all
    select center_id::varchar, 'risk.timepoint', count(*) filter (timepoint::varchar = 'UNKNOWN'), count(timepoint)
    from core.risk group by all
    union all
    select center_id::varchar, 'follow_up.death_cause', count(*) filter (death_cause::varchar = 'UNKNOWN'), count(death_cause)
    from core.follow_up group by all
),
told (figure, center_id, name, level, n) as (
    select figure, center_id, name, null, n from (unpivot moved on sent, "rows" into name figure value n)
    union all
    select 'known', center_id, name, null, n from (unpivot known on columns(* exclude (center_id)) into name name value n)
    union all
    select 'level', center_id, name, level, count(*)
    from (unpivot (select center_id, age, sex, "group", response from subject) on age, sex, "group", response into name name value level)
    group by all
    union all
    select 'unread', center_id, name, null, n from unread
    union all
    select 'unknown', center_id, name, null, n from unknown
    union all
    select 'cells', center_id, name, null, n_cells from unknown
)
select figure, center_id, name, level, n::bigint as n
from told
where n > 0
order by all
