-- temp.drug_status
-- Grain:   one row per patient, drug or class or composite, and measure (REFRACTORY, EXPOSED): Y, N, or U for
--          not known. What was never given is not refractory, and what is refractory was given.
-- Reads:   core.exposure, temp.drug_class.
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
