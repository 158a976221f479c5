-- imputed_dates
-- Grain:   date of the analysis tables that can rest on a partial one.
-- Reads:   analysis.adsl, core.infusion, core.relapse, core.treatment_line, core.follow_up.
-- Feeds:   AUD-21.
-- Rule DAT-29.
-- Dates that lie in none of the reported ones they can come from, or whose flag does not say what was
-- imputed: nothing for a full date, D for a month, M for a year.
with reported as (
    select 'CARTDT' as variable, usubjid, infusion_date as first_on, infusion_date_precision as precision
    from core.infusion
    union all
    select 'RELDT', usubjid, relapse_date, relapse_date_precision from core.relapse
    union all
    select 'TRTSDT', usubjid, start_date, start_date_precision from core.treatment_line
    union all
    -- Where time zero is the bridge, the flag is that of the line that it leads to.
    select 'TRTSDT', usubjid, bridge_start_date, start_date_precision from core.treatment_line
    union all
    select 'DTHDT', usubjid, death_date, death_date_precision from core.follow_up
),
spans as (
    select
        variable,
        usubjid,
        first_on,
        case precision
            when 'month' then last_day(first_on)
            when 'year' then make_date(year(first_on), 12, 31)
            else first_on
        end as last_on,
        case precision when 'month' then 'D' when 'year' then 'M' end as flag
    from reported
    where first_on is not null
),
used as (
    select USUBJID, 'CARTDT' as variable, CARTDT as used_on, CARTDTF as flag from analysis.adsl
    union all
    select USUBJID, 'RELDT', RELDT, RELDTF from analysis.adsl
    union all
    select USUBJID, 'TRTSDT', TRTSDT, TRTSDTF from analysis.adsl
    union all
    select USUBJID, 'DTHDT', DTHDT, DTHDTF from analysis.adsl
),
judged as (
    select
        used.*,
        exists (
            select 1 from spans
            where spans.usubjid = used.USUBJID and spans.variable = used.variable
                and used.used_on between spans.first_on and spans.last_on
                and used.flag is not distinct from spans.flag
        ) as is_told
    from used
)
-- Every variable has its line, also where nobody is in the cohort.
select
    wanted.variable,
    count(judged.used_on)::bigint as n_dates,
    count(judged.flag)::bigint as n_imputed,
    count(*) filter (where judged.used_on is not null and not judged.is_told)::bigint as n_bad,
    n_bad > 0 as bad
from (values ('CARTDT'), ('RELDT'), ('TRTSDT'), ('DTHDT')) as wanted (variable)
left join judged on judged.variable = wanted.variable
group by wanted.variable
order by wanted.variable
