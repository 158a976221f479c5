"""Centers that send the files of the hostile corpus, and one that sends two good rows."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.read.hostile_files import made

CORPUS = Path(__file__).parents[1] / "read" / "hostile"
with (CORPUS / "manifest.csv").open(encoding="utf-8", newline="") as manifest:
    MANIFEST = {row["file"]: row for row in csv.DictReader(manifest)}

DAY = "2026-06-30"
# Here several rows are one person (year of birth, sex and day of infusion), whom DUP-01 holds whatever
# else the file is about. Their centers do not send the year of birth.
ONE_PERSON = {
    "025", "037", "038", "040", "041", "045", "046", "047", "048", "049", "052", "053", "055", "059",
    "061", "062", "064", "065", "068", "081", "085", "089",
}  # fmt: skip

SPEC = """\
center: {{id: {center}, name: Center of {center}, country: DE}}
id_pattern: 'P\\d{{3,6}}'
unknown_columns: refuse
dates: {{order: ymd}}
numbers: {{decimal: '{decimal}'}}
sources:
  p:
    file: '*'
    patient_id: patient_id
    where: {{column: center, equals: LEI}}
    ignore: [comment{ignored}]
tables:
  - {{table: subject, from: p, columns: {{sex: sex{year}}}}}
  - table: infusion
    from: p
    columns:
      infusion_number: {{constant: 1}}
      product: {{constant: IDE}}
      infusion_date: infusion_date
      age_at_infusion: age
  - table: risk
    from: p
    columns:
      timepoint: {{constant: BEFORE_CART}}
      ferritin: {{column: ferritin, unit: ug/L}}
  - table: toxicity
    from: p
    columns: {{kind: {{constant: CRS}}, grade: crs_grade}}
  - table: follow_up
    from: p
    where: {{column: death_date, filled: yes}}
    columns: {{vital_status: {{constant: DEAD}}, death_date: death_date}}
  - table: follow_up
    from: p
    where: {{column: death_date, filled: no}}
    columns: {{vital_status: {{constant: ALIVE}}}}
"""

GOOD = """\
center,patient_id,birth_year,sex,infusion_date,age,ferritin,crs_grade,death_date,comment
LEI,P101,1958,f,2023-05-02,64,312.5,2,,
LEI,P102,1949,m,2023-06-05,73,90,0,2024-01-15,
"""


def center_of(name: str) -> str:
    """`H001` for `001_control_good.csv`."""
    return f"H{name[:3]}"


def add(
    folder: Path,
    center: str,
    *deliveries: tuple[str, str, str],
    decimal: str = ".",
    with_year: bool = True,
) -> None:
    """A center with its spec and deliveries: day, file of the corpus, its name there."""
    year = {"ignored": "", "year": ", birth_year: birth_year"}
    none = {"ignored": ", birth_year", "year": ""}
    spec = SPEC.format(center=center, decimal=decimal, **(year if with_year else none))
    (folder / "centers" / f"{center}.yaml").write_text(spec, encoding="utf-8")
    for day, name, sent_as in deliveries:
        place = folder / "inbox" / center / day
        place.mkdir(parents=True)
        made(name, place).replace(place / sent_as)
