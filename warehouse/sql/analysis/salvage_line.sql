-- analysis.salvage_line
-- Grain:   one row per patient of the cohort and salvage line, the first salvage and every anti-myeloma line
--          after it that is not held back and started up to the data cut. Lines of a patient: adsl.NSALV.
-- Reads:   temp.salvage_sequence, temp.setting, core.treatment_line, analysis.adsl.
-- Feeds:   the flow of the lines and the courses of single patients in the report.
create or replace table analysis.salvage_line as
select
    adsl.STUDYID,
    adsl.USUBJID,
    adsl.SITEID,
    salvage_sequence.salvage_number as SALVSEQ,
    salvage_sequence.line_number as SALVN,
    salvage_sequence.start_date as ASTDT,
    salvage_sequence.start_flag as ASTDTF,
    case when line.end_date_precision = 'day' then line.end_date end as AENDT,
    salvage_sequence.salvage_group as SALVGRP,
    salvage_sequence.salvage_subgroup as SALVSUB,
    salvage_sequence.drugs as SALVDRUG
from salvage_sequence
inner join analysis.adsl as adsl on salvage_sequence.usubjid = adsl.USUBJID
left join core.treatment_line as line
    on salvage_sequence.usubjid = line.usubjid and salvage_sequence.line_number = line.line_number
cross join setting
where
    salvage_sequence.salvage_number = 1
    or setting.data_cut is null
    or salvage_sequence.start_date <= setting.data_cut
    or (salvage_sequence.start_flag = 'M' and year(salvage_sequence.start_date) <= year(setting.data_cut))
order by adsl.USUBJID, salvage_sequence.salvage_number
