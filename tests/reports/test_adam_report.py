"""`carmony report`: on ADaM tables, on the second demo study, and of a study again."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pytest

from demo.second_study import PATIENTS, write_second_study
from flows.cli import main
from reports.adam.report import Made, TablesRequest, report_on_tables
from reports.displays.estimate import SCHEMA

ROOT = Path(__file__).parents[2]
SECOND = ROOT / "demo" / "second"
PLAN = """\
title: Two arms
variables:
  ARM: {label: Arm, levels: {A: Arm A, B: Arm B}}
  NEVER: {label: Not in the data}
  AGE: {label: Age}
endpoints:
  OS: {label: Overall survival, event: death, events: deaths, origin: start}
  PFS: {label: Progression-free survival, event: event, events: events, origin: start}
displays:
  - {id: T1, kind: baseline, heading: Table 1. Patients, by: ARM, rows: [AGE, NEVER]}
  - {id: F1, kind: survival, heading: Figure 1. Survival, endpoint: OS, by: [ARM]}
  - {id: F2, kind: survival, heading: Figure 2. Survival without progression, endpoint: PFS}
  - {id: F3, kind: survival, heading: Figure 3. By nothing, endpoint: OS, by: [NEVER]}
  - {id: P1, kind: swimmer, heading: Courses}
"""
# Arm A: deaths at 10, 20, 40 days, one censored at 30: survival 3/4, 1/2 to 40, 0: the median is the
# middle of the flat stretch from 20 to 40. Arm B: one death of four at 50 days: not reached.
TIMES = {
    "A": ((10, 0), (20, 0), (30, 1), (40, 0)),
    "B": ((50, 0), (60, 1), (60, 1), (60, 1)),
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    people = [
        (f"{arm}{i}", arm, days, cnsr) for arm in TIMES for i, (days, cnsr) in enumerate(TIMES[arm])
    ]
    rows = [f"{who},{arm},{50 + index}" for index, (who, arm, _, _) in enumerate(people)]
    (tmp_path / "adsl.csv").write_text(
        "USUBJID,ARM,AGE\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    times = [f"{who},OS,{days + 1},{cnsr}" for who, _, days, cnsr in people]
    (tmp_path / "adtte.csv").write_text(
        "USUBJID,PARAMCD,AVAL,CNSR\n" + "\n".join(times) + "\n", encoding="utf-8"
    )
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return tmp_path


def _arguments(folder: Path, plan: str = "plan.yaml", out: str = "out") -> list[str]:
    return [
        "report", "--adsl", str(folder / "adsl.csv"), "--adtte", str(folder / "adtte.csv"),
        "--plan", str(folder / plan), "--out", str(folder / out),
    ]  # fmt: skip


def _estimates(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / "tables" / "estimates.csv", schema_overrides=dict(SCHEMA))


def test_tables_and_a_plan_make_a_report_without_a_study(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*_arguments(files), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["patients"], answer["displays"]) == (8, ["T1", "F1"])
    assert answer["left_out"] == [
        "T1 without NEVER: adsl has no column 'NEVER'.",
        "F2 is left out: adtte has no parameter 'PFS'.",
        "F3 is left out: adsl has no column 'NEVER'.",
        "P1 is left out: it is made from the warehouse of a study.",
    ]
    page = Path(answer["report"]).read_text(encoding="utf-8")
    assert "Figure 1. Survival" in page
    assert "adtte has no parameter" in page
    medians = _estimates(files / "out").filter(pl.col("row") == "median")
    assert medians["value"].to_list() == [pytest.approx(30 / 30.4375), None]
    assert medians["n"].to_list() == [4, 4]
    assert medians["events"].to_list() == [3, 1]


def test_an_endpoint_of_which_no_time_is_known_is_not_called_absent(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (files / "adtte.csv").open("a", encoding="utf-8") as file:
        file.write("A0,PFS,,1\n")
    assert main(_arguments(files)) == 0
    told = capsys.readouterr().out
    assert "F2 is left out: adtte has no row of 'PFS' with AVAL and CNSR." in told


def test_a_report_is_written_again_over_itself_but_not_into_another_folder(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_arguments(files)) == main(_arguments(files)) == 0
    (files / "other").mkdir()
    (files / "other" / "letter.txt").write_text("mine", encoding="utf-8")
    assert main(_arguments(files, out="other")) == 2
    assert "exists and holds no report" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["report"], "neither a study nor tables"),
        (["report", "--adsl", "a.csv"], "also needs --adtte and --plan"),
        (["report", "study", "--adsl", "a.csv"], "of a study or of tables, not of both"),
        (["report", "no-such-study"], "There is no folder 'no-such-study'"),
    ],
)
def test_what_is_asked_for_wrongly_is_told(
    change: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(change) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Fix: " in told


def test_a_plan_that_is_not_there_or_fits_nothing_is_told(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(_arguments(files, plan="plam.yaml")) == 2
    assert "There is no analysis plan" in capsys.readouterr().err
    (files / "plan.yaml").write_text(PLAN.replace("column: ", "").replace("by: ARM", "by: NEVER")
                                     .replace("endpoint: OS", "endpoint: PFS"), encoding="utf-8")  # fmt: skip
    assert main(_arguments(files)) == 2
    assert "No display of the plan can be made from these tables" in capsys.readouterr().err
    assert not (files / "out").exists()


def test_groups_made_of_a_number_are_refused(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "plan.yaml").write_text(PLAN.replace("by: ARM", "by: AGE"), encoding="utf-8")
    assert main(_arguments(files)) == 2
    assert "display 'T1', by: 'AGE' is a number and makes no groups" in capsys.readouterr().err


def test_levels_that_differ_from_the_data_are_told_with_their_number(files: Path) -> None:
    plan = PLAN.replace("{A: Arm A, B: Arm B}", "{A: Arm A, C: Arm C}")
    (files / "plan.yaml").write_text(plan, encoding="utf-8")
    assert main(_arguments(files)) == 0
    told = _estimates(files / "out").filter(pl.col("display") == "METHODS")
    texts = dict(told.select("row", "text").iter_rows())
    assert texts["levels_ARM"] == "Arm (ARM): no patient has 'Arm C'."
    assert texts["undeclared_ARM"].startswith(
        "Arm (ARM): 4 patients have the values 'B', which the plan"
    )


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Path]:
    """The report of the second demo study, and its folder."""
    out = tmp_path_factory.mktemp("second") / "out"
    plan = "second_bispecific"
    return report_on_tables(
        TablesRequest(SECOND / "adsl.csv", SECOND / "adtte.csv", plan, out)
    ), out


def test_the_second_demo_study_is_reported_by_its_plan_alone(second: tuple[Made, Path]) -> None:
    made, out = second
    assert made.patients == PATIENTS
    assert made.displays == (
        "T1", "F1A", "F1B", "F1C", "F1D", "F2", "T2", "X1", "X2", "COMPLETENESS",
    )  # fmt: skip
    assert made.left_out == ()
    page = made.page.read_text(encoding="utf-8")
    assert "Teclistamab after talquetamab" in page
    assert "first salvage" not in page.split('id="METHODS"')[0].casefold()
    found = _estimates(out)
    sizes = found.filter((pl.col("display") == "T1") & (pl.col("row") == "N"))
    adsl = pl.read_csv(SECOND / "adsl.csv")
    assert sizes["value"].to_list() == [
        (adsl["SEQUENCE"] == "TAL_TEC").sum(), (adsl["SEQUENCE"] == "TEC_TAL").sum(), PATIENTS,
    ]  # fmt: skip
    times = pl.read_csv(SECOND / "adtte.csv").filter(pl.col("PARAMCD") == "PFS")
    medians = found.filter((pl.col("display") == "F1A") & (pl.col("row") == "median"))
    assert medians["events"].sum() == (times["CNSR"] == 0).sum()


# R 4.2.2 on demo/second: survfit and survdiff of PFS in months by SEQUENCE, coxph of SEQUENCE, EMDFL,
# ECOG 2 and NEXTFL (84 complete patients), cuminc of CIR.
MEDIANS = [
    (2.82546201232, 1.80698151951, 5.78234086242),
    (5.12525667351, 3.77823408624, 11.03901437372),
]
LOG_RANK = 1.58240469997
RATIOS = [
    (0.747700402273, 0.436029010994, 1.28215297025),
    (2.041845805238, 1.249548593700, 3.33651233204),
    (2.601800901037, 1.367405294672, 4.95052048944),
    (0.815247959241, 0.491769248205, 1.35150629583),
]
GRAY = [0.9463273742768, 0.0249557115567]


def test_the_numbers_of_the_second_demo_study_are_those_of_r(second: tuple[Made, Path]) -> None:
    found = _estimates(second[1])

    def rows(display: str, **wanted: str) -> list[tuple[float, ...]]:
        at = pl.all_horizontal([pl.col(name) == value for name, value in wanted.items()])
        chosen = found.filter((pl.col("display") == display) & at & pl.col("value").is_not_null())
        return chosen.select("value", "lower", "upper").rows()

    assert rows("F1A", row="median") == [pytest.approx(row, rel=1e-9) for row in MEDIANS]
    assert rows("F1A", row="test")[0][0] == pytest.approx(LOG_RANK, rel=1e-9)
    adjusted = [
        row
        for term in ("SEQUENCE", "EMDFL", "ECOG2", "NEXTFL")
        for row in rows("T2", row=term, statistic="hr", population="ALL")
    ]
    assert adjusted == [pytest.approx(row, rel=1e-6) for row in RATIOS]
    assert [row[0] for row in rows("X1", row="gray")] == pytest.approx(GRAY, rel=1e-9)


def test_the_tables_of_the_second_study_are_what_its_generator_writes(tmp_path: Path) -> None:
    write_second_study(tmp_path)
    for name in ("adsl.csv", "adtte.csv"):
        assert (tmp_path / name).read_bytes() == (SECOND / name).read_bytes()


def test_the_tables_of_a_study_give_the_numbers_of_the_study(
    warehouse: Path, tmp_path: Path
) -> None:
    con = duckdb.connect(str(warehouse), read_only=True)
    for name in ("adsl", "adtte"):
        con.execute(f"copy analysis.{name} to '{tmp_path / name}.parquet'").fetchall()
    before = pl.DataFrame(con.sql("select * from analysis.estimate order by display, position"))
    con.close()
    made = report_on_tables(
        TablesRequest(
            tmp_path / "adsl.parquet", tmp_path / "adtte.parquet", "salvage_after_cart", tmp_path / "out"
        )
    )  # fmt: skip
    after = _estimates(tmp_path / "out")
    same = [
        name for name in ("T1", "F1A", "F1B", "F1C", "F2A", "S1A", "S4A") if name in made.displays
    ]
    assert len(same) == 7
    columns = [
        "population",
        "row",
        "level",
        "statistic",
        "value",
        "lower",
        "upper",
        "p",
        "n",
        "events",
    ]
    for name in same:
        # Reasons of exclusion have other names: the tables tell only that there is no time.
        rows = [
            frame.filter(pl.col("display").eq(name) & pl.col("row").is_in(["excluded", "DISPLAY"]).not_())
            .select(columns)
            for frame in (before, after)
        ]  # fmt: skip
        assert rows[0].height > 10
        assert rows[0].equals(rows[1]), name
