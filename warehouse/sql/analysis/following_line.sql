-- temp.following_line
-- Grain:   one row per patient with a first salvage: anti-myeloma lines from it on that started up to the data
--          cut, and the second of them. Of a start known by year only, the year decides.
-- Reads:   temp.salvage_sequence, temp.setting.
-- Feeds:   SUBSQFL, NSALV, NACTDT. The times to the next treatment are cut where they are made.
create or replace temp table following_line as
select
    salvage_sequence.usubjid,
    count(*)::integer as n_salvage,
    any_value(salvage_sequence.start_date) filter (where salvage_number = 2) as following_on,
    any_value(salvage_sequence.start_flag) filter (where salvage_number = 2) as following_flag
from salvage_sequence
cross join setting
where
    salvage_sequence.salvage_number = 1
    or setting.data_cut is null
    or salvage_sequence.start_date <= setting.data_cut
    or (salvage_sequence.start_flag = 'M' and year(salvage_sequence.start_date) <= year(setting.data_cut))
group by salvage_sequence.usubjid
