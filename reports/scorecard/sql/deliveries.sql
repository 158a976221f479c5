-- deliveries
-- Grain:   center with a delivery in force.
-- Reads:   quality.delivery.
-- Feeds:   the day of each center's delivery.
SELECT center_id::VARCHAR AS center_id, max(received_on) AS received_on
FROM quality.delivery
WHERE is_current
GROUP BY center_id
