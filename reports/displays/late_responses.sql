-- late_responses
-- Grain:   patient, day and class: PR or better, as far as it counts for the best response to the first salvage.
-- Reads:   analysis.adrs.
-- Feeds:   landmark and time-dependent models.
-- Assessments (OVR) of the line of the best response that lie before the next line and up to the first
-- progression, and the day of the best response itself.
with best as (
    select USUBJID, SALVN
    from analysis.adrs
    where PARAMCD = 'BOR'
),
record as (
    select adrs.USUBJID, adrs.ADT, adrs.AVALC
    from analysis.adrs as adrs
    inner join best
        on adrs.USUBJID = best.USUBJID and adrs.SALVN = best.SALVN
    where
        adrs.ADT is not null
        and (
            adrs.PARAMCD = 'BOR'
            or adrs.PARAMCD = 'OVR' and adrs.ANL02FL = 'Y' and adrs.ANL03FL = 'Y'
        )
)
select
    USUBJID,
    case AVALC when 'sCR' then 'CR' else AVALC end as RESPONSE,
    min(ADT) as ADT
from record
where AVALC in ('sCR', 'CR', 'VGPR', 'PR')
group by all
order by USUBJID, ADT, RESPONSE
