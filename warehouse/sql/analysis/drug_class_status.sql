-- temp.drug_status
-- Grain:   one row per patient, drug or class or composite, and measure (REFRACTORY, EXPOSED): Y, N, or U for
--          not known. What was never given is not refractory, and what is refractory was given.
--          A drug whose row is held back is not known; where the drug is not known either, so is one of each class.
-- Reads:   core.exposure, temp.drug_class, temp.held_row.
-- Feeds:   temp.refractory_class, temp.refractory.
create or replace temp table drug_status as
select
    exposure.usubjid,
    exposure.drug::varchar as drug,
    drug_class.class,
    'REFRACTORY' as measure,
    case
        when exposure.refractory in ('Y', 'N') then exposure.refractory::varchar
        when exposure.exposed = 'N' then 'N'
        else 'U'
    end as status
from core.exposure as exposure
left join drug_class on exposure.drug = drug_class.drug_id
union all
select
    exposure.usubjid,
    exposure.drug::varchar,
    drug_class.class,
    'EXPOSED',
    case
        when exposure.refractory = 'Y' or exposure.exposed = 'Y' then 'Y'
        when exposure.exposed = 'N' then 'N'
        else 'U'
    end
from core.exposure as exposure
left join drug_class on exposure.drug = drug_class.drug_id
union all
select held_row.usubjid, held_row.topic, drug_class.class, listed.measure, 'U'
from held_row
left join drug_class on held_row.topic = drug_class.drug_id
cross join (values ('REFRACTORY'), ('EXPOSED')) as listed(measure)
where held_row.held_table = 'exposure' and held_row.topic is not null
union all
select held_row.usubjid, null, class.class, listed.measure, 'U'
from held_row
cross join (values ('IMiD'), ('PI'), ('CD38')) as class(class)
cross join (values ('REFRACTORY'), ('EXPOSED')) as listed(measure)
where held_row.held_table = 'exposure' and held_row.topic is null
