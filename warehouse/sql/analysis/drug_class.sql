-- temp.drug_class
-- Grain:   one row per drug of the vocabulary: the class that counts for refractoriness, and whether the
--          drug is directed at BCMA without being a CAR-T product.
-- Reads:   schemas/vocabularies/drugs.csv (variable drugs_path).
-- Feeds:   temp.refractory, temp.prior_bcma_drug.
create or replace temp table drug_class as
select
    drug_id,
    case when counts_as in ('IMiD', 'PI', 'CD38') then counts_as end as class,
    list_contains(string_split(counts_as, '|'), 'BCMA') and group4_effect != 'CART' as is_bcma
from read_csv(getvariable('drugs_path'), header = true, all_varchar = true, delim = ',', quote = '"')
