-- temp.is_yes(flag)
-- Grain:   a flag of core as a boolean: Y true, N false; not known, failed or not asked null.
-- Reads:   its argument.
-- Feeds:   every step that derives stage, cytogenetics or risk.
create or replace temp macro is_yes(flag) as case flag when 'Y' then true when 'N' then false end
