-- temp.refractory
-- Grain:   one row per patient with exposure data: TRIPLFL, PENTAFL and how each was found.
--          Triple-class: at least one IMiD, one PI and one anti-CD38 antibody. Penta: two, two and one.
--          Drug-level rows decide; class rows help out; composites count only where those cannot decide.
-- Reads:   core.exposure, temp.drug_class.
-- Feeds:   TRIPLFL, PENTAFL.
create or replace temp table refractory as
with judged as (
    select
        exposure.usubjid,
        exposure.drug,
        drug_class.class,
        case
            when exposure.refractory in ('Y', 'N') then exposure.refractory
            when exposure.exposed = 'N' then 'N'
            else 'U'
        end as status
    from core.exposure as exposure
    left join drug_class on exposure.drug = drug_class.drug_id
),
counted as (
    select
        usubjid,
        count(*) filter (where class = 'IMiD') as n_imid,
        count(*) filter (where class = 'IMiD' and status = 'Y') as n_imid_yes,
        count(*) filter (where class = 'IMiD' and status = 'U') as n_imid_unknown,
        max(status) filter (where drug = 'IMID') as imid_reported,
        count(*) filter (where class = 'PI') as n_pi,
        count(*) filter (where class = 'PI' and status = 'Y') as n_pi_yes,
        count(*) filter (where class = 'PI' and status = 'U') as n_pi_unknown,
        max(status) filter (where drug = 'PI') as pi_reported,
        count(*) filter (where class = 'CD38') as n_cd38,
        count(*) filter (where class = 'CD38' and status = 'Y') as n_cd38_yes,
        count(*) filter (where class = 'CD38' and status = 'U') as n_cd38_unknown,
        max(status) filter (where drug = 'CD38') as cd38_reported,
        max(status) filter (where drug = 'TRIPLE' and status != 'U') as triple_reported,
        max(status) filter (where drug = 'PENTA' and status != 'U') as penta_reported
    from judged
    group by usubjid
),
by_class as (
    select
        *,
        case
            when n_imid_yes >= 1 or imid_reported = 'Y' then 'Y'
            when imid_reported = 'N' or (n_imid > 0 and n_imid_unknown = 0) then 'N'
        end as imid,
        case
            when n_pi_yes >= 1 or pi_reported = 'Y' then 'Y'
            when pi_reported = 'N' or (n_pi > 0 and n_pi_unknown = 0) then 'N'
        end as pi,
        case
            when n_cd38_yes >= 1 or cd38_reported = 'Y' then 'Y'
            when cd38_reported = 'N' or (n_cd38 > 0 and n_cd38_unknown = 0) then 'N'
        end as cd38
    from counted
),
derived as (
    select
        *,
        case
            when imid = 'Y' and pi = 'Y' and cd38 = 'Y' then 'Y'
            when imid = 'N' or pi = 'N' or cd38 = 'N' then 'N'
        end as triple_derived,
        case
            when n_imid_yes >= 2 and n_pi_yes >= 2 and cd38 = 'Y' then 'Y'
            when imid = 'N' or pi = 'N' or cd38 = 'N' then 'N'
            when n_imid > 0 and n_imid_yes + n_imid_unknown < 2 then 'N'
            when n_pi > 0 and n_pi_yes + n_pi_unknown < 2 then 'N'
        end as penta_derived
    from by_class
)
select
    usubjid,
    coalesce(triple_derived, triple_reported, case when coalesce(penta_derived, penta_reported) = 'Y' then 'Y' end) as triplfl,
    case when triple_derived is not null then 'DERIVED' when triple_reported is not null then 'REPORTED' end as triplsrc,
    coalesce(penta_derived, penta_reported, case when coalesce(triple_derived, triple_reported) = 'N' then 'N' end) as pentafl,
    case when penta_derived is not null then 'DERIVED' when penta_reported is not null then 'REPORTED' end as pentasrc
from derived
