-- moved
-- Grain:   center.
-- Reads:   quality.query, quality.query_event, quality.scorecard.
-- Feeds:   what moved on the page of the center.
-- Queries to which something happened since the state that the figures are compared with; candidates are not told.
WITH now AS (SELECT max(load_id) AS load_id FROM quality.scorecard),
since AS (
  SELECT max(b.load_id) AS load_id, max(b.as_of) AS as_of
  FROM quality.scorecard AS s
  JOIN now AS n USING (load_id)
  JOIN quality.scorecard AS b ON b.load_id = s.before_load_id
)
SELECT
  q.center_id::VARCHAR AS center_id,
  count(DISTINCT e.query_id) FILTER (
    e.event = 'released' OR e.event = 'created' AND e.to_state = 'open'
  ) AS n_asked,
  count(DISTINCT e.query_id) FILTER (
    e.actor = 'center' AND e.event IN ('answered', 'confirmed', 'closed')
  ) AS n_answered,
  count(DISTINCT e.query_id) FILTER (e.resolution = 'data_corrected' AND e.to_state = 'resolved') AS n_by_data,
  count(DISTINCT e.query_id) FILTER (
    e.to_state IN ('closed', 'cancelled', 'resolved') AND coalesce(e.resolution, '') <> 'data_corrected'
  ) AS n_otherwise,
  count(DISTINCT e.query_id) FILTER (e.event = 'not_corrected') AS n_not_corrected,
  count(DISTINCT e.query_id) FILTER (e.event = 'reopened') AS n_reopened
FROM quality.query_event AS e
JOIN quality.query AS q USING (query_id)
CROSS JOIN since AS s
WHERE s.load_id IS NOT NULL
  AND CASE WHEN e.load_id IS NOT NULL THEN e.load_id > s.load_id ELSE e."at" >= s.as_of END
GROUP BY ALL
