-- temp.endpoint_reason
-- Grain:   one row per reason why a time to event is left out or deserves a look, with the rule that asks
--          the center about it.
-- Reads:   nothing.
-- Feeds:   analysis.endpoint_problem.
create or replace temp table endpoint_reason as
select *
from (
    values
    ('DEATH_DATE_MISSING', 'SUR-02', 'Dead without a date of death'),
    ('DEATH_DATE_YEAR_ONLY', 'SUR-02', 'Of the date of death only the year is known'),
    ('DEATH_BEFORE_START', 'SUR-07', 'Death before the start of the clock'),
    ('NO_LAST_CONTACT', 'SUR-07', 'No record shows the patient alive'),
    ('LAST_CONTACT_BEFORE_START', 'SUR-07', 'Last contact before the start of the clock'),
    ('PROGRESSION_BEFORE_START', 'DAT-22', 'Progression of the first salvage before its start'),
    ('PROGRESSION_DATE_MISSING', 'DAT-22', 'Progression without a date, or that may lie before the start of the first salvage'),
    ('PROGRESSION_DATE_YEAR_ONLY', 'DAT-22', 'Of the date of progression only the year is known'),
    ('PROGRESSION_AFTER_DEATH', 'DAT-23', 'Progression after death'),
    ('PROGRESSION_HELD', 'DAT-22', 'The only progression, or a response that may be one, is held back until the center answers'),
    ('PROGRESSION_HELD_BESIDE', 'DAT-22', 'Another progression is held back until the center answers: it may have been first'),
    ('PROGRESSION_BEFORE_RESPONSE', 'RSP-03', 'Progression before the first response'),
    ('NEXT_LINE_AFTER_DEATH', 'DAT-24', 'Next treatment after death'),
    ('NEXT_LINE_HELD', 'SAL-01', 'A line after the first salvage is held back until the center answers'),
    ('NEXT_LINE_DATE_YEAR_ONLY', 'DAT-19', 'Of the start of the next treatment only the year is known'),
    ('RESPONSE_HELD', 'DAT-20', 'A response is held back until the center answers: it may be the best or the first one'),
    ('RESPONSE_HELD_BESIDE', 'DAT-20', 'An assessment after the last one is held back until the center answers'),
    ('FOLLOW_UP_HELD', 'DAT-25', 'The follow-up is held back until the center answers'),
    ('RESPONSE_DATE_MISSING', 'DAT-20', 'Response without a date'),
    ('RESPONSE_NOT_ASSESSED', 'RSP-13', 'No response that can be evaluated'),
    ('RESPONSE_NOT_DERIVED', 'RSP-13', 'No response that measurements can tell'),
    ('NO_EVENT_DATE', 'SUR-07', 'The event has no date'),
    ('END_BEFORE_START', 'SUR-07', 'The event lies before the start of the clock'),
    ('PROGRESSION_ON_START_DAY', 'DAT-22', 'Progression on the day of the start: it may belong to the relapse before'),
    ('PROGRESSION_FROM_BEST_RESPONSE', 'DAT-22', 'Progression dated by the best response, no date of its own'),
    ('BEST_RESPONSE_PROGRESSED_BEFORE', 'DAT-22', 'The best response is a progression of an earlier day than the progression that is the event'),
    ('RESPONSE_AFTER_PROGRESSION', 'RSP-03', 'The best response is a response that comes after the progression'),
    ('RESPONSE_FROM_BEST_RESPONSE', 'DAT-21', 'First response dated by the best response'),
    ('NEXT_LINE_WITHOUT_PROGRESSION', 'RSP-14', 'Next treatment without a progression before it'),
    ('MYELOMA_DEATH_WITHOUT_PROGRESSION', 'SUR-05', 'Death from myeloma without a documented progression'),
    ('EVIDENCE_AFTER_LAST_CONTACT', 'DAT-26', 'A record later than the reported last contact shows the patient alive')
) as listed(reason, rule_id, text)
