-- center
-- Grain:   load and center that had sent something by then.
-- Reads:   quality.delivery, quality.query, temp.scorecard_load.
-- Feeds:   figure.
CREATE OR REPLACE TEMP TABLE scorecard_center AS
SELECT DISTINCT l.load_id, d.center_id::VARCHAR AS center_id
FROM temp.scorecard_load AS l
JOIN quality.delivery AS d ON d.load_id <= l.load_id AND regexp_full_match(d.center_id, '[A-Z][A-Z0-9_]{1,15}')
