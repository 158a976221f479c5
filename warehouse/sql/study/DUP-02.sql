-- study.DUP-02
-- Grain:   one row per patient who may also be in another center, with the rows that say so.
-- Reads:   core.subject, core.infusion.
-- Feeds:   quality.finding of each of the centers; nothing here names the other one.
-- The same sex, product, year of birth (else an age that differs by at most one year) and infusion:
-- within 3 days if the month of diagnosis is the same, on the same day if one center does not give it.
-- Of an infusion known by its month a day within 3 days of that month will do, if the month of diagnosis is
-- the same.
WITH given AS (
  SELECT
    s.usubjid,
    s.center_id,
    i.row_id,
    s.sex::VARCHAR AS sex,
    i.product::VARCHAR AS product,
    s.birth_year,
    coalesce(i.age_at_infusion, year(i.infusion_date) - s.birth_year) AS age,
    i.infusion_date,
    i.infusion_date_precision = 'day' AS has_day,
    CASE WHEN s.diagnosis_date_precision IN ('day', 'month') THEN date_trunc('month', s.diagnosis_date) END
      AS diagnosed_in
  FROM core.subject s
  JOIN core.infusion i USING (usubjid)
  WHERE i.infusion_date_precision IN ('day', 'month') AND s.sex IN ('F', 'M')
), day_given AS (
  SELECT * FROM given WHERE has_day
), near AS (
  SELECT * EXCLUDE infusion_date, infusion_date AS given_on, infusion_date + unnest(range(-3, 4))::INTEGER AS infusion_date
  FROM day_given
), by_month AS (
  SELECT
    a.usubjid, a.row_id, a.diagnosed_in, a.infusion_date AS given_on,
    b.usubjid AS other, b.row_id AS other_row_id, b.infusion_date AS other_on
  FROM given a
  JOIN given b USING (sex, product, diagnosed_in)
  WHERE
    a.center_id <> b.center_id
    AND NOT a.has_day
    AND b.infusion_date BETWEEN a.infusion_date - CASE WHEN b.has_day THEN 3 ELSE 0 END
      AND last_day(a.infusion_date) + CASE WHEN b.has_day THEN 3 ELSE 0 END
    AND (
      a.birth_year = b.birth_year
      OR ((a.birth_year IS NULL OR b.birth_year IS NULL) AND abs(a.age - b.age) <= 1)
    )
), paired AS (
  -- Equal keys first: the days around an infusion are spelled out, and the year of birth is one of them.
  SELECT a.usubjid, a.row_id, a.diagnosed_in, a.given_on, b.diagnosed_in AS other_in, b.infusion_date AS other_on
  FROM near a
  JOIN day_given b USING (sex, product, birth_year, infusion_date)
  WHERE a.center_id <> b.center_id
  UNION ALL
  SELECT a.usubjid, a.row_id, a.diagnosed_in, a.given_on, b.diagnosed_in, b.infusion_date
  FROM near a
  JOIN day_given b USING (sex, product, infusion_date)
  WHERE
    a.center_id <> b.center_id
    AND (a.birth_year IS NULL OR b.birth_year IS NULL)
    AND abs(a.age - b.age) <= 1
  UNION ALL
  SELECT usubjid, row_id, diagnosed_in, given_on, diagnosed_in, other_on
  FROM by_month
  UNION ALL
  SELECT other, other_row_id, diagnosed_in, other_on, diagnosed_in, given_on
  FROM by_month
)
SELECT
  usubjid,
  'infusion' AS "table",
  min(row_id) AS row_id,
  true AS fails,
  [
    {'table': 'infusion', 'row_id': min(row_id), 'column': 'infusion_date'},
    {'table': 'infusion', 'row_id': min(row_id), 'column': 'product'}
  ] AS fields,
  NULL::VARCHAR AS message
FROM paired
WHERE
  CASE
    WHEN diagnosed_in IS NOT NULL AND other_in IS NOT NULL THEN diagnosed_in = other_in
    ELSE given_on = other_on
  END
GROUP BY usubjid
ORDER BY usubjid
