-- temp.prior_bcma_drug
-- Grain:   one row per patient with a BCMA-directed drug (no CAR-T) reported as given before CAR-T.
-- Reads:   core.exposure, temp.drug_class.
-- Feeds:   PBCMAFL where the center does not report the flag itself.
create or replace temp table prior_bcma_drug as
select distinct exposure.usubjid, 'Y' as exposed
from core.exposure as exposure
inner join drug_class on exposure.drug = drug_class.drug_id
where
    drug_class.is_bcma
    and (exposure.exposed = 'Y' or exposure.refractory = 'Y')
