-- scorecard
-- Grain:   center, load, figure and level; every figure of every center, null where nothing could be judged.
-- Reads:   the tables before it; ${figures}: rows (figure, better).
-- Feeds:   quality.scorecard.
-- Rank 1 is best; equal values share a rank. Only figures that are better high or low are ranked, over all levels.
INSERT INTO quality.scorecard BY NAME
WITH declared (figure, better) AS (VALUES ${figures}),
whole AS (
  SELECT c.load_id, c.center_id, d.figure, d.better, NULL::VARCHAR AS "level"
  FROM temp.scorecard_center AS c, declared AS d
),
parted AS (
  SELECT f.load_id, f.center_id, f.figure, d.better, f."level"
  FROM temp.scorecard_figure AS f
  JOIN declared AS d USING (figure)
  WHERE f."level" IS NOT NULL
),
valued AS (
  SELECT w.*, f.numerator, f.denominator, f."value"
  FROM (FROM whole UNION ALL FROM parted) AS w
  LEFT JOIN temp.scorecard_figure AS f
    ON f.load_id = w.load_id AND f.center_id = w.center_id AND f.figure = w.figure
    AND f."level" IS NOT DISTINCT FROM w."level"
),
ranked AS (
  SELECT
    *,
    "value" IS NOT NULL AND better IS NOT NULL AND "level" IS NULL AS is_ranked,
    CASE WHEN is_ranked THEN rank() OVER (
      PARTITION BY load_id, figure, is_ranked
      ORDER BY CASE better WHEN 'lower' THEN "value" ELSE -"value" END
    ) END AS "rank",
    CASE WHEN is_ranked THEN count(*) OVER (PARTITION BY load_id, figure, is_ranked) END AS n_ranked
  FROM valued
)
SELECT
  r.center_id,
  l."month",
  r.load_id,
  l.is_last_of_month,
  l.as_of,
  r.figure,
  r."level",
  r.numerator,
  r.denominator,
  r."value",
  r.better,
  r."rank",
  r.n_ranked,
  l.before_load_id,
  b."value" AS value_before,
  b."rank" AS rank_before
FROM ranked AS r
JOIN temp.scorecard_load AS l USING (load_id)
LEFT JOIN ranked AS b
  ON b.load_id = l.before_load_id AND b.center_id = r.center_id AND b.figure = r.figure
  AND b."level" IS NOT DISTINCT FROM r."level"
ORDER BY r.load_id, r.center_id, r.figure, r."level"
