-- temp.staging_chosen
-- Grain:   one row per patient with a row in core.risk: ISS and R-ISS, each derived at the time point of the
--          reported stage; where none is reported, at the first time point at which it can be derived.
--          A reported stage differs (Y) if the measurements of its time point exclude it; it agrees (N)
--          if they leave only it; null if they leave it open or nothing is reported.
--          Not known where a row that is held back may be the one that decides.
-- Reads:   temp.staging_stage, temp.held_risk.
-- Feeds:   ISS, ISSD, ISSDP, ISSDIF, RISSD, RISSDP, RISSDTPT, RISSDIF.
create or replace temp table staging_chosen as
with stages as (
    select usubjid, 'ISS' as scale, row_id, timepoint, choice, iss as reported, iss_derived as derived, iss_possible as possible
    from staging_stage
    union all
    select usubjid, 'RISS', row_id, timepoint, choice, r_iss, r_iss_derived, r_iss_possible
    from staging_stage
),
chosen as (
    select *
    from stages
    qualify row_number() over (
        partition by usubjid, scale
        order by reported is null, derived is null, choice, row_id
    ) = 1
),
judged as (
    select
        chosen.*,
        case
            when reported is null then null
            when not list_contains(string_split(possible, '/'), reported::varchar) then 'Y'
            when derived is not null then 'N'
        end as differs
    from chosen
    left join held_risk using (usubjid)
    where held_risk.usubjid is null or (reported is not null and held_risk.choice > chosen.choice)
)
select
    usubjid,
    any_value(reported) filter (where scale = 'ISS') as iss,
    any_value(derived) filter (where scale = 'ISS') as issd,
    any_value(possible) filter (where scale = 'ISS') as issdp,
    any_value(differs) filter (where scale = 'ISS') as issdif,
    any_value(derived) filter (where scale = 'RISS') as rissd,
    any_value(possible) filter (where scale = 'RISS') as rissdp,
    any_value(timepoint) filter (where scale = 'RISS') as rissdtpt,
    any_value(differs) filter (where scale = 'RISS') as rissdif
from judged
group by usubjid
