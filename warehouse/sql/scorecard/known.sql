-- known
-- Grain:   center and required variable.
-- Reads:   core.subject, core.infusion, core.relapse, core.risk, core.treatment_line, core.response, core.follow_up.
-- Feeds:   figure.
-- Patients of core of whom a variable that the analysis needs is known. Codes for unknown are not known; a date of which
-- only the month is known is; a date of death is required of the dead. The patient's own rows, those held back aside.
CREATE OR REPLACE TEMP TABLE scorecard_known AS
WITH patient AS (
  SELECT
    s.center_id::VARCHAR AS center_id,
    coalesce(s.sex::VARCHAR IN ('F', 'M'), false) AS sex,
    s.birth_year IS NOT NULL OR i.age_at_infusion IS NOT NULL AS age,
    i.product IS NOT NULL AS product,
    i.infusion_date IS NOT NULL AS infusion_date,
    i.prior_lines IS NOT NULL AS prior_lines,
    coalesce(i.prior_bcma::VARCHAR IN ('Y', 'N'), false) AS prior_bcma,
    i.ecog IS NOT NULL AS ecog,
    coalesce(k.r_iss, false) AS r_iss,
    r.relapse_date IS NOT NULL AS relapse_date,
    coalesce(r.emd::VARCHAR IN ('Y', 'N'), false) AS emd,
    t.start_date IS NOT NULL AS salvage_start,
    t.drugs IS NOT NULL AS salvage_drugs,
    coalesce(b.response, false) AS response,
    coalesce(f.vital_status::VARCHAR IN ('ALIVE', 'DEAD'), false) AS vital_status,
    f.last_contact_date IS NOT NULL OR f.death_date IS NOT NULL AS last_contact,
    CASE WHEN f.vital_status::VARCHAR = 'DEAD' THEN f.death_date IS NOT NULL END AS death_date
  FROM (SELECT * FROM core.subject QUALIFY row_number() OVER (PARTITION BY usubjid ORDER BY row_id) = 1) AS s
  LEFT JOIN (
    SELECT * FROM core.infusion
    QUALIFY row_number() OVER (PARTITION BY usubjid ORDER BY infusion_number, row_id) = 1
  ) AS i USING (usubjid)
  LEFT JOIN (
    SELECT * FROM core.relapse
    QUALIFY row_number() OVER (PARTITION BY usubjid ORDER BY relapse_number, row_id) = 1
  ) AS r USING (usubjid)
  LEFT JOIN (
    SELECT * FROM core.treatment_line
    QUALIFY row_number() OVER (PARTITION BY usubjid ORDER BY line_number, row_id) = 1
  ) AS t USING (usubjid)
  LEFT JOIN (
    SELECT * FROM core.follow_up
    QUALIFY row_number() OVER (PARTITION BY usubjid ORDER BY last_contact_date DESC NULLS LAST, row_id) = 1
  ) AS f USING (usubjid)
  LEFT JOIN (SELECT usubjid, bool_or(r_iss IS NOT NULL) AS r_iss FROM core.risk GROUP BY usubjid) AS k
    USING (usubjid)
  LEFT JOIN (
    SELECT usubjid, bool_or(category IS NOT NULL AND category <> 'NE') AS response
    FROM core.response
    WHERE line_number >= 1
    GROUP BY usubjid
  ) AS b USING (usubjid)
)
SELECT
  center_id,
  variable,
  count(*) FILTER (is_known) AS n_known,
  count(*) AS n_patients
FROM patient
UNPIVOT (
  is_known FOR variable IN (
    sex, age, product, infusion_date, prior_lines, prior_bcma, ecog, r_iss, relapse_date, emd, salvage_start, salvage_drugs,
    response, vital_status, last_contact, death_date
  )
)
GROUP BY center_id, variable
