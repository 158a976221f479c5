-- temp.held_risk
-- Grain:   one row per patient with a risk row that is held back: the place of the first one in the order in which
--          time points are asked (before CAR-T, not stated or not known, relapse, other), and the place of the
--          first one up to CAR-T, null if all are of the relapse.
-- Reads:   temp.held_row.
-- Feeds:   what rests on core.risk: where the held row may be the one that decides, the answer is not known.
create or replace temp table held_risk as
select
    usubjid,
    min(case topic when 'BEFORE_CART' then 1 when 'RELAPSE' then 3 when 'DIAGNOSIS' then 4 else 2 end) as choice,
    min(case topic when 'BEFORE_CART' then 1 when 'DIAGNOSIS' then 3 else 2 end)
        filter (where topic is distinct from 'RELAPSE') as choice_before
from held_row
where held_table = 'risk'
group by usubjid
