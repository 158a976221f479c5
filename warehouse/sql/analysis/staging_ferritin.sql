-- temp.staging_ferritin
-- Grain:   one row per patient with ferritin at lymphodepletion: whether it is raised, that is above the
--          laboratory's own limit or above the number that study.yaml sets. Of the values that can be
--          judged, that of core.risk (before CAR-T, else time point not stated) comes first; else the last
--          laboratory value of the ten days up to the start of lymphodepletion, both dates complete.
--          Not known where a risk row that is held back may be the one that decides.
-- Reads:   core.risk, core.lab, core.infusion, temp.held_risk, temp.setting.
-- Feeds:   temp.staging_mycare.
create or replace temp table staging_ferritin as
with values_at as (
    select
        usubjid,
        ferritin as measured,
        ferritin_comparator as sign,
        ferritin_uln as upper_limit,
        case timepoint when 'BEFORE_CART' then 1 else 2 end as choice,
        row_id
    from core.risk
    where ferritin is not null and timepoint in ('BEFORE_CART', 'UNKNOWN')
    union all
    select
        lab.usubjid,
        lab.value,
        lab.value_comparator,
        lab.upper_limit,
        3 + (infusion.lymphodepletion_date - lab.lab_date),
        lab.row_id
    from core.lab as lab
    inner join core.infusion as infusion on lab.usubjid = infusion.usubjid and infusion.infusion_number = 1
    where
        lab.test = 'FERRITIN'
        and lab.value is not null
        and lab.lab_date_precision = 'day'
        and infusion.lymphodepletion_date_precision = 'day'
        and lab.lab_date between infusion.lymphodepletion_date - 10 and infusion.lymphodepletion_date
),
judged as (
    select
        usubjid,
        choice,
        row_id,
        is_above(measured, sign, coalesce(setting.mycare_ferritin_limit, upper_limit)) as is_raised
    from values_at
    cross join setting
)
select
    usubjid,
    case when coalesce(held_risk.choice_before > judged.choice, true) then judged.is_raised end as is_raised
from judged
left join held_risk using (usubjid)
qualify row_number() over (partition by usubjid order by judged.is_raised is null, judged.choice, judged.row_id) = 1
