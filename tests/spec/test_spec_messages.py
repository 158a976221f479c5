"""What a person reads when a spec or study file is wrong: file, line, key, nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import SpecError, StudyError
from schemas.spec import load_spec, load_study

GOOD = """\
center: {id: DE01, name: Ulm, country: DE}
dates: {order: dmy}
sources:
  patients: {file: patients.csv, patient_id: ID}
tables:
  - table: subject
    from: patients
    columns:
      sex: {column: Sex, map: {w: F, m: M}}
      birth_year: Born
"""


def message(folder: Path, text: str) -> str:
    path = folder / "DE01.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    return str(caught.value)


def test_a_good_spec_loads_and_knows_its_file_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "DE01.yaml"
    path.write_text(GOOD, encoding="utf-8")
    spec = load_spec(path)
    assert spec.center.id == "DE01"
    assert spec.path == path
    before = spec.spec_hash
    path.write_text(GOOD + "# a remark\n", encoding="utf-8")
    assert load_spec(path).spec_hash != before


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("order: dmy", "oder: dmy", "line 2, dates.oder: unknown key 'oder'. Did you mean 'order'?"),
        ("order: dmy", "order: dmj", "line 2, dates.order: 'dmj' is not allowed. Did you mean 'dmy'?"),
        ("from: patients", "frm: patients", "line 7, tables[0].frm: unknown key 'frm'. Did you mean 'from'?"),
        ("from: patients", "from: patient", "line 7, tables[0].from: there is no source 'patient'. Did you mean 'patients'?"),
        ("table: subject", "table: subjects", "line 6, tables[0].table: there is no table 'subjects'. Did you mean 'subject'?"),
        ("birth_year: Born", "birthyear: Born", "line 10, tables[0].columns.birthyear: table 'subject' has no column 'birthyear'. Did you mean 'birth_year'?"),
        ("w: F,", "w: Female,", "line 9, tables[0].columns.sex.map.w: 'Female' is no code of sex. Codes: 'F', 'M', 'U'"),
        ("country: DE", "country: GER", "line 1, center.country: 'GER' is no code of country."),
        ("id: DE01", "id: de01", "line 1, center.id:"),
        ("id: DE01", "id: DE02", "line 1, center.id: 'DE02' is not the name of this file: write the center's own id, 'DE01' if the file is named right, or name the file DE02.yaml"),
        ("birth_year: Born", "birth_year: {column: Born, constant: 1}", "line 10, tables[0].columns.birth_year: name exactly one of column, coalesce"),
        ("birth_year: Born", "birth_year: {constant: old}", "line 10, tables[0].columns.birth_year.constant: 'old' is no whole number"),
        ("birth_year: Born", "diagnosis: {constant: CANCER}", "line 10, tables[0].columns.diagnosis.constant: 'CANCER' is no code of diagnosis."),
        ("birth_year: Born", "birth_year: {regex: {column: A, pattern: '('}}", "line 10, tables[0].columns.birth_year.regex.pattern: '(' is not a regular expression"),
        ("patient_id: ID", "patientid: ID", "line 4, sources.patients.patientid: unknown key 'patientid'. Did you mean 'patient_id'?"),
        (", patient_id: ID", "", "line 4, sources.patients.patient_id: key 'patient_id' is missing"),
        ("order: dmy}", "order: dmy}\nnumbers: {grouping: '.'}", "line 3, numbers: 'grouping' is also the decimal mark '.': give both, as they are written"),
        ("birth_year: Born", "birth_year: {column: Born, grouping: '.'}", "line 10, tables[0].columns.birth_year.grouping: the decimal mark of this column is '.' as well"),
        ("birth_year: Born", "birth_year: {column: Born, codebook: years}", "line 10, tables[0].columns.birth_year.codebook: there is no codebook 'years'"),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_told_with_its_line_and_the_nearest_name(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert old in GOOD
    told = message(tmp_path, GOOD.replace(old, new))
    assert f"DE01.yaml, {expected}" in told
    assert "Fix: " in told


def test_all_problems_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD.replace("order: dmy", "oder: dmy").replace("from: patients", "frm: patients")
    told = message(tmp_path, text)
    assert told.index("line 2,") < told.index("line 7,")
    assert "at least 1 item" not in told


def test_a_key_written_twice_is_an_error_that_names_both_lines(tmp_path: Path) -> None:
    told = message(tmp_path, GOOD + "dates: {order: mdy}\n")
    assert "line 11: key 'dates' is written twice (first in line 2)" in told


def test_broken_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    assert "DE01.yaml, line 4: this is not YAML" in message(tmp_path, "a: 1\nb:\n  - c: [1\nd: 2\n")


def test_a_file_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "DE01.yaml"
    path.write_bytes(GOOD.replace("Ulm", "Köln").encode("cp1252"))
    with pytest.raises(SpecError, match="line 1: the file is not UTF-8"):
        load_spec(path)


def test_a_missing_spec_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there is no such file"):
        load_spec(tmp_path / "XX01.yaml")


def test_words_like_no_and_leading_zeros_stay_text_in_value_maps(tmp_path: Path) -> None:
    path = tmp_path / "DE01.yaml"
    text = GOOD.replace("map: {w: F, m: M}", "map: {no: F, yes: M, 01: M, off: null}")
    path.write_text(text, encoding="utf-8")
    rule = load_spec(path).tables[0].columns["sex"]
    assert rule.map == {"no": "F", "yes": "M", "01": "M", "off": None}


def test_anchors_are_shared_and_endless_aliases_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    assert "too large" in message(tmp_path, "\n".join(lines))


def test_a_fix_function_must_stand_beside_the_spec_and_counts_in_the_hash(tmp_path: Path) -> None:
    told = message(tmp_path, GOOD + "fix: DE01.fix.py\n")
    assert "line 11: there is no file 'DE01.fix.py' beside the spec" in told
    (tmp_path / "DE01.fix.py").write_text("def fix(cells, source):\n    return cells\n")
    before = load_spec(tmp_path / "DE01.yaml").spec_hash
    (tmp_path / "DE01.fix.py").write_text("def fix(cells, source):\n    return cells.head(1)\n")
    assert load_spec(tmp_path / "DE01.yaml").spec_hash != before


STUDY = """\
id: MMCART
title: Relapse after CAR-T
data_cut: 2024-08-31
"""


def study_message(folder: Path, text: str) -> str:
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        load_study(folder)
    return str(caught.value)


def test_a_study_has_the_published_decisions_as_defaults(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    study = load_study(tmp_path)
    settings = study.settings
    assert settings.early_relapse_months == (3, 5)
    assert settings.early_relapse_tie == "early_if_equal"
    assert settings.dual_bispecific == "OTHER"
    assert settings.pfs_censoring == "last_contact"
    assert settings.bridge_days == 30
    assert settings.time_zero == "systemic"
    assert settings.best_response_window == "until_pd_or_next_line"
    assert settings.celmod_group == "IPC"
    assert settings.ne_counts_as_nonresponder is True
    assert settings.emd_without_imaging == "no"
    assert settings.mycare_ferritin_rule == "above_uln"
    assert settings.days_per_month == 30.4375
    assert [group.code for group in study.groups] == ["TALQ", "TEC", "IPC", "OTHER"]
    assert study.data_cut.isoformat() == "2024-08-31"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("settings: {bridge_day: 20}", "line 4, settings.bridge_day: unknown key 'bridge_day'. Did you mean 'bridge_days'?"),
        ("settings: {time_zero: system}", "line 4, settings.time_zero: 'system' is not allowed. Did you mean 'systemic'?"),
        ("settings: {bridge_days: -1}", "line 4, settings.bridge_days:"),
        ("settings: {early_relapse_months: []}", "line 4, settings.early_relapse_months:"),
        ("settings: {early_relapse_months: [5]}", "line 4, settings.early_relapse_months:"),
        ("settings: {early_relapse_months: [3, 3]}", "line 4, settings.early_relapse_months: the two cut-offs of early relapse are the same"),
        ("settings: {early_relapse_months: [3, 5, 7]}", "line 4, settings.early_relapse_months:"),
        ("settings: {early_relapse_months: [0, 3]}", "line 4, settings.early_relapse_months[0]:"),
        ("settings: {early_relapse_months: [3, -2]}", "line 4, settings.early_relapse_months[1]:"),
        ("groups: {TALQ: Tal, TECH: Tec}", "line 4, groups[1]: 'TECH' is no salvage group. Did you mean 'TEC'?"),
    ],
)  # fmt: skip
def test_a_wrong_study_is_told_with_line_and_nearest_name(
    tmp_path: Path, line: str, expected: str
) -> None:
    assert expected in study_message(tmp_path, STUDY + line + "\n")


def test_the_centers_of_a_study_come_in_the_declared_order_then_by_name(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY + "centers: [US01, DE02]\n", encoding="utf-8")
    (tmp_path / "centers").mkdir()
    for name in ("DE01", "DE02", "US01"):
        (tmp_path / "centers" / f"{name}.yaml").touch()
    study = load_study(tmp_path)
    assert [path.stem for path in study.center_specs] == ["US01", "DE02", "DE01"]


@pytest.mark.parametrize(
    ("table", "column", "date"),
    [("response", "line_number", "response_date"), ("lab", "value", "lab_date")],
)
def test_rows_of_a_table_that_is_read_in_parts_cannot_be_numbered(
    tmp_path: Path, table: str, column: str, date: str
) -> None:
    block = f"  - {{table: {table}, from: patients, columns: {{\n      {column}: {{sequence: {date}}},\n"
    told = message(tmp_path, GOOD + block + f"      {date}: Seen}}}}\n")
    assert (
        f"DE01.yaml, line 12, tables[1].columns.{column}.sequence: table '{table}' is read in parts"
        in told
    )
    assert "name the column that holds the number" in told
