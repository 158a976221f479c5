-- open_errors
-- Grain:   patient with an error among the findings of the deliveries in force.
-- Reads:   quality.finding, quality.delivery.
-- Feeds:   sensitivity of models to open queries.
select distinct usubjid as USUBJID
from quality.finding
inner join quality.delivery using (delivery_key)
where severity = 'error' and is_current and usubjid is not null
order by USUBJID
