-- temp.held_toxicity
-- Grain:   one row per patient of the cohort, kind and part of the course (INFUSION, SALVAGE) to which a CRS or
--          ICANS event that is held back may belong. Where kind or onset are not known it may be each.
-- Reads:   temp.held_row, temp.timeline.
-- Feeds:   temp.toxicity_index, analysis.adtox.
create or replace temp table held_toxicity as
select distinct held_row.usubjid, kinds.kind, parts.part
from held_row
inner join timeline using (usubjid)
cross join (values ('CRS'), ('ICANS')) as kinds(kind)
cross join (values ('INFUSION'), ('SALVAGE')) as parts(part)
where
    held_row.held_table = 'toxicity'
    and coalesce(held_row.topic = kinds.kind, true)
    and case parts.part
        when 'INFUSION' then coalesce(held_row.day < timeline.trtsdt, true)
        else coalesce(latest_day(held_row.day, held_row.day_precision) >= timeline.trtsdt, true)
    end
