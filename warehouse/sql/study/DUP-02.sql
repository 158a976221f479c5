-- study.DUP-02
-- Grain:   one row per patient who may also be in another center, with the rows that say so.
-- Reads:   core.subject, core.infusion.
-- Feeds:   quality.finding of each of the centers; nothing here names the other one.
-- The same sex, product, year of birth (else an age that differs by at most one year) and infusion:
-- within 3 days if the month of diagnosis is the same, on the same day if one center does not give it.
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
    CASE WHEN s.diagnosis_date_precision IN ('day', 'month') THEN date_trunc('month', s.diagnosis_date) END
      AS diagnosed_in
  FROM core.subject s
  JOIN core.infusion i USING (usubjid)
  WHERE i.infusion_date_precision = 'day' AND s.sex IN ('F', 'M')
), paired AS (
  SELECT a.usubjid, a.row_id
  FROM given a
  JOIN given b
    ON a.sex = b.sex AND a.product = b.product AND a.center_id <> b.center_id
    AND b.infusion_date BETWEEN a.infusion_date - 3 AND a.infusion_date + 3
  WHERE
    CASE
      WHEN a.birth_year IS NOT NULL AND b.birth_year IS NOT NULL THEN a.birth_year = b.birth_year
      ELSE abs(a.age - b.age) <= 1
    END
    AND CASE
      WHEN a.diagnosed_in IS NOT NULL AND b.diagnosed_in IS NOT NULL THEN a.diagnosed_in = b.diagnosed_in
      ELSE a.infusion_date = b.infusion_date
    END
)
SELECT
  usubjid,
  'infusion' AS "table",
  min(row_id) AS row_id,
  ['infusion_date', 'product'] AS columns
FROM paired
GROUP BY usubjid
ORDER BY usubjid
