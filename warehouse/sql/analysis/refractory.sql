-- temp.refractory
-- Grain:   one row per patient with exposure data: triple-class and penta-drug, refractory and exposed, and
--          how each was found. Triple-class: at least one IMiD, one PI and one anti-CD38 antibody. Penta: two,
--          two and one. Drug-level rows decide; class rows help out; composites count only where those cannot
--          decide. `*dif` is Y where the center's tick of the composite is not what its drugs and classes
--          give, N where it is, null where one of the two is not known.
-- Reads:   temp.drug_status, temp.refractory_class.
-- Feeds:   TRIPLFL, PENTAFL, TRIPLDIF, PENTADIF, TRPEXPFL, PNTEXPFL, LENREFL, CLASSDIF,
--          analysis.risk_agreement.
create or replace temp table refractory as
with derived as (
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
    from refractory_class
),
judged as (
    select
        usubjid,
        measure,
        class_differs,
        triple_reported,
        triple_derived,
        penta_reported,
        penta_derived,
        coalesce(
            triple_derived, triple_reported, case when coalesce(penta_derived, penta_reported) = 'Y' then 'Y' end
        ) as triple,
        case when triple_derived is not null then 'DERIVED' when triple_reported is not null then 'REPORTED' end as triple_source,
        coalesce(
            penta_derived, penta_reported, case when coalesce(triple_derived, triple_reported) = 'N' then 'N' end
        ) as penta,
        case when penta_derived is not null then 'DERIVED' when penta_reported is not null then 'REPORTED' end as penta_source,
        case when triple_reported = triple_derived then 'N' when triple_reported != triple_derived then 'Y' end as triple_differs,
        case when penta_reported = penta_derived then 'N' when penta_reported != penta_derived then 'Y' end as penta_differs
    from derived
),
lenalidomide as (
    select
        usubjid,
        max(status) filter (where drug = 'lenalidomide') as drug_status,
        max(status) filter (where drug = 'IMID') as class_status
    from drug_status
    where measure = 'REFRACTORY'
    group by usubjid
)
select
    ref.usubjid,
    ref.triple as triplfl,
    ref.triple_source as triplsrc,
    ref.penta as pentafl,
    ref.penta_source as pentasrc,
    ref.triple_differs as tripldif,
    ref.penta_differs as pentadif,
    ref.class_differs as classdif,
    ref.triple_reported,
    ref.triple_derived,
    ref.penta_reported,
    ref.penta_derived,
    exposed.triple as trpexpfl,
    exposed.penta as pntexpfl,
    -- Refractory to no IMiD is not refractory to this one; refractory to some IMiD does not say to which.
    case
        when lenalidomide.drug_status in ('Y', 'N') then lenalidomide.drug_status
        when lenalidomide.class_status = 'N' then 'N'
    end as lenrefl
from judged as ref
inner join judged as exposed on ref.usubjid = exposed.usubjid and exposed.measure = 'EXPOSED'
left join lenalidomide on ref.usubjid = lenalidomide.usubjid
where ref.measure = 'REFRACTORY'
