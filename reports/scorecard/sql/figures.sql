-- figures
-- Grain:   load, center, figure and level.
-- Reads:   quality.scorecard.
-- Feeds:   the pages.
SELECT * FROM quality.scorecard ORDER BY load_id, center_id, figure, "level"
