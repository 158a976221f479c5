-- temp.drug_class
-- Grain:   one row per drug of the vocabulary: the class that counts for refractoriness, whether the drug is
--          directed at BCMA without being a CAR-T product, whether it is a bispecific, and which bridge a line
--          of it can be (SUPPORT: no treatment of its own; ALKYLATOR: not together with another one).
-- Reads:   schemas/vocabularies/drugs.csv (variable drugs_path).
-- Feeds:   temp.refractory, temp.prior_bcma_drug, temp.held_line.
create or replace temp table drug_class as
select
    drug_id,
    case when counts_as in ('IMiD', 'PI', 'CD38') then counts_as end as class,
    list_contains(string_split(counts_as, '|'), 'BCMA') and group4_effect != 'CART' as is_bcma,
    class in ('bispecific', 'trispecific') as is_bispecific,
    case
        when group4_effect = 'NONE' then 'SUPPORT'
        when class = 'alkylator' then 'ALKYLATOR'
        when group4_effect = 'STEROID' or drug_id = 'radiotherapy' then 'OTHER'
    end as bridge
from read_csv(getvariable('drugs_path'), header = true, all_varchar = true, delim = ',', quote = '"')
