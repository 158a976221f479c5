"""Columns of adsl and a plan that do not fit each other: text among numbers, levels that nobody has."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.cli import main
from flows.report_command import levels_that_differ
from reports.adam.columns import check_numbers
from reports.adam.read import read_table
from reports.adam.source import Source
from reports.estimates import write_estimates
from schemas.errors import FileError, StudyError
from schemas.spec.plan import Plan
from schemas.spec.plans import read_plan
from schemas.spec.study import Study

PLAN = """\
title: Arms
variables:
  ARM: {label: Arm, levels: {A: Arm A, B: Arm B}}
  AGE: {label: Age}
  SITEID: {label: Center}
  SEX: {label: Sex, levels: {F: Female, M: Male}}
endpoints:
  OS: {label: Overall survival, event: death, events: deaths, origin: start}
displays:
  - {id: T1, kind: baseline, heading: Table 1, by: ARM, rows: [AGE, SEX]}
  - {id: F1, kind: survival, heading: Figure 1, endpoint: OS, by: [ARM]}
  - {id: T2, kind: model, heading: Table 2, endpoint: OS, terms: [SEX, AGE]}
"""
N = 24
AGES = [str(45 + i) for i in range(N)]


def _plan(folder: Path, text: str = PLAN) -> Plan:
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    return read_plan(folder / "plan.yaml")


def _adsl(**columns: list[str | None]) -> pl.DataFrame:
    own: dict[str, list[str | None]] = {
        "USUBJID": [f"P{i:02d}" for i in range(N)],
        "ARM": ["A", "B"] * (N // 2),
        "AGE": [*AGES],
        "SITEID": [str(1 + i % 12) for i in range(N)],
        "SEX": ["F", "M", "M"] * (N // 3),
    }
    return pl.DataFrame(own | columns)


def _check(folder: Path, adsl: pl.DataFrame, plan: str = PLAN, kind: str = "csv") -> None:
    path = folder / f"adsl.{kind}"
    (adsl.write_csv if kind == "csv" else adsl.write_parquet)(path)
    check_numbers(_plan(folder, plan), Source(read_table(path), path.name))


def _with(*cells: tuple[int, str | None]) -> list[str | None]:
    ages: list[str | None] = [*AGES]
    for row, text in cells:
        ages[row] = text
    return ages


@pytest.mark.parametrize("text", [">90", "<0.3", "n.d.", "45,5", "55 years"])
def test_one_cell_of_text_among_numbers_is_refused_with_column_count_and_row(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(FileError) as refused:
        _check(tmp_path, _adsl(AGE=_with((3, text), (9, text))))
    told = str(refused.value)
    assert (
        "file 'adsl.csv': column 'AGE': 2 cells are no numbers (of 24, the first is in row 5)"
        in told
    )
    assert "display 'T1' has variable 'AGE' in rows" in told
    assert "leave the cell empty" in told
    assert text not in told


def test_numbers_empty_cells_and_declared_factors_pass(tmp_path: Path) -> None:
    _check(tmp_path, _adsl())
    _check(tmp_path, _adsl(AGE=_with((3, None), (4, "NA"))))
    factor = PLAN.replace(
        "AGE: {label: Age}", 'AGE: {label: Age, levels: {"45": Young, ">90": Old}}'
    )
    _check(tmp_path, _adsl(AGE=_with((3, ">90"))), factor)
    recoded = PLAN.replace(
        "AGE: {label: Age}",
        'AGE: {label: Age, levels: {Y: Young, O: Old}, recode: {"45": Y, ">90": O}}',
    )
    _check(tmp_path, _adsl(AGE=_with((3, ">90"))), recoded)


def test_text_as_it_occurs_and_names_of_centers_stay_factors(tmp_path: Path) -> None:
    words: list[str | None] = ["IgG", "IgA", "light chain"] * (N // 3)
    _check(tmp_path, _adsl(AGE=words))
    sites: list[str | None] = [*[str(1 + i % 12) for i in range(N - 1)], "10A"]
    _check(tmp_path, _adsl(SITEID=sites), PLAN.replace("rows: [AGE, SEX]", "rows: [SITEID, SEX]"))


def test_what_the_plan_calls_a_number_holds_numbers_alone(tmp_path: Path) -> None:
    words: list[str | None] = ["young", "old"] * (N // 2)
    for key in ("unit: years", "decimals: 1", "per: 10"):
        plan = PLAN.replace("AGE: {label: Age}", f"AGE: {{label: Age, {key}}}")
        with pytest.raises(
            FileError, match=r"24 cells are no numbers \(of 24, the first is in row 2\)"
        ):
            _check(tmp_path, _adsl(AGE=words), plan)
    cut = PLAN.replace(
        "AGE: {label: Age}", 'AGE: {label: Age, cut: 60, levels: {"0": Young, "1": Old}}'
    )
    with pytest.raises(FileError, match=r"1 cell is no number \(of 24, the first is in row 8\)"):
        _check(tmp_path, _adsl(AGE=_with((6, ">90"))), cut)


def test_many_numbers_written_as_text_in_a_typed_file_are_refused_and_few_are_codes(
    tmp_path: Path,
) -> None:
    with pytest.raises(FileError, match=r"column 'AGE': numbers written as text \(24 cells\)"):
        _check(tmp_path, _adsl(), kind="parquet")
    with pytest.raises(FileError, match=r"1 cell is no number \(of 24, the first is in row 4\)"):
        _check(tmp_path, _adsl(AGE=_with((3, ">90"))), kind="parquet")
    with pytest.raises(FileError, match="column 'AGE' of variable 'AGE' holds neither numbers nor"):
        _check(tmp_path, _adsl().with_columns(AGE=pl.lit([1, 2])), kind="parquet")
    grades: list[str | None] = ["0", "1", "2"] * (N // 3)
    _check(tmp_path, _adsl(AGE=grades), kind="parquet")


def _report(folder: Path, adsl: pl.DataFrame, plan: str = PLAN) -> int:
    adsl.write_csv(folder / "adsl.csv")
    times = {"PARAMCD": "OS", "AVALU": "DAYS"}
    adsl.select(
        "USUBJID",
        *[pl.lit(value).alias(name) for name, value in times.items()],
        AVAL=pl.int_range(100, 100 + pl.len()),
        CNSR=pl.int_range(pl.len()) % 2,
    ).write_csv(folder / "adtte.csv")
    (folder / "plan.yaml").write_text(plan, encoding="utf-8")
    files = [f"--{name}={folder / name}.csv" for name in ("adsl", "adtte")]
    return main(["report", *files, f"--plan={folder / 'plan.yaml'}", f"--out={folder / 'out'}"])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{A: Arm A, B: Arm B}", "{a: Arm A, b: Arm B}", "variable 'ARM': no patient has 'a', 'b' in column 'ARM'; 24 of 24 have another value"),
        ("{F: Female, M: Male}", '{"0": Female, "00": Male}', "variable 'SEX': no patient has '0', '00' in column 'SEX'"),
        ("{F: Female, M: Male}", "{F: Female, M: Male}, recode: {f: F, m: M}", "variable 'SEX': no patient has 'f', 'm' in column 'SEX'"),
    ],
)  # fmt: skip
def test_groups_and_terms_of_which_nobody_has_a_level_end_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: str
) -> None:
    assert old in PLAN
    assert _report(tmp_path, _adsl(), PLAN.replace(old, new)) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "capitals and zeros included" in told
    assert not (tmp_path / "out").exists()


def test_an_empty_group_column_ends_the_report_and_is_called_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _report(tmp_path, _adsl(ARM=[None] * N)) == 2
    assert "no patient has 'A', 'B' in column 'ARM'; it is empty" in capsys.readouterr().err


def test_levels_of_nobody_and_values_without_level_are_told_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = PLAN.replace("{A: Arm A, B: Arm B}", "{A: Arm A, C: Arm C}")
    long = ["free text that nobody would call a code", *["F"] * (N - 1)]
    assert _report(tmp_path, _adsl(SEX=[*long]), plan) == 0
    assert capsys.readouterr().err.splitlines() == [
        "warning: Arm (ARM): none of 24 patients has level 'C' of the plan.",
        "warning: Arm (ARM): 12 patients have 'B', which the plan does not declare.",
        "warning: Sex (SEX): none of 24 patients has level 'M' of the plan.",
        "warning: Sex (SEX): 1 patient has a value that the plan does not declare.",
    ]


def test_values_that_a_recode_does_not_name_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = PLAN.replace("{F: Female, M: Male}", "{F: Female, M: Male}, recode: {F: F, W: F}")
    assert _report(tmp_path, _adsl(), plan) == 0
    # Sixteen of 24 are M.
    assert (
        "warning: Sex (SEX): 16 patients have a value that 'recode' does not name; it counts as unknown."
        in capsys.readouterr().err
    )


OWN = """\
title: By age
variables:
  ECOG: {label: ECOG, levels: {LEVELS}}
endpoints:
  OS: {label: Overall survival, event: death, events: deaths, origin: first salvage}
displays:
  - {id: F1, kind: survival, heading: Figure 1, endpoint: OS, by: [ECOG]}
"""


def test_a_study_is_told_of_levels_too_and_stopped_where_none_fits(
    warehouse: Path, study: Study, tmp_path: Path
) -> None:
    copy = tmp_path / "warehouse.duckdb"
    copy.write_bytes(warehouse.read_bytes())
    mine = study.model_copy(update={"analysis": "own.yaml"})
    mine._path = tmp_path / "study.yaml"
    own = tmp_path / "own.yaml"
    own.write_text(OWN.replace("LEVELS", '"0": Good, "1": Fair, "9": Bad'), encoding="utf-8")
    write_estimates(copy, mine)
    told = levels_that_differ(copy)
    # 18 patients have ECOG 2 in the published Table 1.
    assert told[0] == "ECOG (ECOG): no patient has 'Bad'."
    assert told[1].startswith("ECOG (ECOG): 18 patients have the values '2'")
    assert len(told) == 2
    own.write_text(OWN.replace("LEVELS", '"00": Good, "01": Fair'), encoding="utf-8")
    with pytest.raises(StudyError, match="variable 'ECOG': no patient has '00', '01'"):
        write_estimates(copy, mine)
    con = duckdb.connect(str(copy))
    con.execute(
        "delete from analysis.adsl where USUBJID not in (select USUBJID from analysis.adsl limit 5)"
    )
    con.close()
    write_estimates(copy, mine)  # a study begins with few patients


@pytest.mark.parametrize("place", ["/proc/x", "/dev/null/report", "x" * 300])
def test_a_folder_that_cannot_be_made_is_told_and_is_no_fault_of_the_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    _report(tmp_path, _adsl())
    capsys.readouterr()
    files = [f"--{name}={tmp_path / name}.csv" for name in ("adsl", "adtte")]
    assert main(["report", *files, f"--plan={tmp_path / 'plan.yaml'}", f"--out={place}"]) == 2
    told = capsys.readouterr().err
    assert f"'{place}' cannot be written" in told
    assert "with --out" in told
