-- delivery
-- Grain:   load and delivery that was in force after it.
-- Reads:   quality.delivery, temp.scorecard_load.
-- Feeds:   checks, held, patients.
-- A delivery that a later load read again is known since that load only.
CREATE OR REPLACE TEMP TABLE scorecard_delivery AS
WITH loaded AS (
  SELECT
    l.load_id,
    d.center_id::VARCHAR AS center_id,
    d.delivery_key,
    d.delivery_id,
    d.received_on,
    d.sequence,
    d.load_id AS read_by,
    -- The center's mode is that of its last delivery that was loaded.
    last_value(d.mode) OVER (
      PARTITION BY l.load_id, d.center_id ORDER BY d.load_id, d.received_on, d.sequence
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) = 'append' AS adds
  FROM temp.scorecard_load AS l
  JOIN quality.delivery AS d ON d.load_id <= l.load_id AND d.outcome = 'loaded'
)
SELECT load_id, center_id, delivery_key
FROM loaded
QUALIFY row_number() OVER (
  PARTITION BY load_id, center_id, CASE WHEN adds THEN delivery_id END
  ORDER BY received_on DESC, sequence DESC, read_by DESC, delivery_id DESC
) = 1
