-- temp.endpoint_parameter
-- Grain:   one row per endpoint: where its clock starts and what ends it without an event.
--          `start`: TRTSDT, CARTDT, RELDT or RESPONSE (responders only). `censoring`: CONTACT (last day
--          known alive), ASSESSMENT, SETTING (pfs_censoring of the study), NONE (an event for all).
--          `unknown_cnsr`: CNSR of a patient whose vital status is not known. `has_competing`: CRSTAT is told.
-- Reads:   nothing.
-- Feeds:   temp.clock, analysis.adtte.
create or replace temp table endpoint_parameter as
select *
from (
    values
    ('OS', 'Overall survival from first salvage', 'TRTSDT', 'CONTACT', 2, false),
    ('PFS', 'Progression-free survival from first salvage', 'TRTSDT', 'SETTING', 2, false),
    ('PFSLA', 'Progression-free survival, censored at the last assessment', 'TRTSDT', 'ASSESSMENT', 2, false),
    ('PFSNACT', 'Progression-free survival, censored at new anti-myeloma therapy', 'TRTSDT', 'SETTING', 2, false),
    ('RSD', 'Duration of response to the first salvage', 'RESPONSE', 'CONTACT', 2, false),
    ('RSDR', 'Duration of response, death without progression competing', 'RESPONSE', 'CONTACT', 1, true),
    ('TTRLP', 'Time from CAR-T infusion to relapse or progression', 'CARTDT', 'NONE', 1, false),
    ('CIR', 'Relapse or progression after first salvage, other death competing', 'TRTSDT', 'CONTACT', 1, true),
    ('CIRMM', 'Relapse or progression, death from myeloma counted as progression', 'TRTSDT', 'CONTACT', 1, true),
    ('NRM', 'Death without progression after first salvage, progression competing', 'TRTSDT', 'CONTACT', 1, true),
    ('TTNT', 'Time to next treatment or death', 'TRTSDT', 'CONTACT', 2, false),
    ('TTNTN', 'Time to next treatment, death competing', 'TRTSDT', 'CONTACT', 1, true),
    ('TTRSP', 'Time to first response', 'TRTSDT', 'CONTACT', 1, true),
    ('OSREL', 'Overall survival from relapse, patients with salvage', 'RELDT', 'CONTACT', 2, false),
    ('FUP', 'Follow-up from first salvage', 'TRTSDT', 'NONE', 1, false)
) as listed(paramcd, param, start, censoring, unknown_cnsr, has_competing)
