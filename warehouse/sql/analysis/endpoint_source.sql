-- temp.endpoint_source
-- Grain:   one row per endpoint and event that can end its clock. The earliest event of a patient ends
--          it; on one day the lowest `rank` does. `cnsr` is what the endpoint then carries: 0 event,
--          2 competing event, 4 censored at new therapy, 1 censored.
-- Reads:   nothing.
-- Feeds:   temp.clock.
create or replace temp table endpoint_source as
select *
from (
    values
    ('OS', 'DEATH', 0, 1),
    ('PFS', 'PD', 0, 1),
    ('PFS', 'DEATH', 0, 2),
    ('PFSLA', 'PD', 0, 1),
    ('PFSLA', 'DEATH', 0, 2),
    ('PFSNACT', 'NEXT_LINE', 4, 1),
    ('PFSNACT', 'PD', 0, 2),
    ('PFSNACT', 'DEATH', 0, 3),
    ('RSD', 'PD', 0, 1),
    ('RSD', 'DEATH', 0, 2),
    ('RSDR', 'PD', 0, 1),
    ('RSDR', 'DEATH', 2, 2),
    ('TTRLP', 'RELAPSE', 0, 1),
    ('CIR', 'PD', 0, 1),
    ('CIR', 'DEATH', 2, 2),
    ('CIRMM', 'PD', 0, 1),
    ('CIRMM', 'DEATH_MM', 0, 2),
    ('CIRMM', 'DEATH_OTHER', 2, 2),
    ('NRM', 'PD', 2, 1),
    ('NRM', 'DEATH', 0, 2),
    ('TTNT', 'NEXT_LINE', 0, 1),
    ('TTNT', 'DEATH', 0, 2),
    ('TTNTN', 'NEXT_LINE', 0, 1),
    ('TTNTN', 'DEATH', 2, 2),
    ('TTRSP', 'RESPONSE', 0, 1),
    ('TTRSP', 'PD', 2, 2),
    ('TTRSP', 'NEXT_LINE', 2, 3),
    ('TTRSP', 'DEATH', 2, 4),
    ('OSREL', 'DEATH', 0, 1),
    ('FUP', 'ALIVE', 0, 1),
    ('FUP', 'DEATH', 1, 2)
) as listed(paramcd, event, cnsr, rank)
