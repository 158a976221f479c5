"""The golden runner: every public result matches, and a wrong number does not go unseen."""

import json
import shutil
import tomllib
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from reports.golden.cli import main
from reports.golden.compare import CLOSED, ITERATED, compare
from reports.golden.records import GoldenSet, Record, read_set
from reports.golden.run import ANALYSES, DIFFERING, MATCHED, UNSUPPORTED, check, check_record

GOLDEN = Path(__file__).parents[1] / "golden"
SETS = (
    "colon", "edge", "kidney", "lung", "mgus2", "myeloid", "paper_table1", "pbc", "veteran"
)  # fmt: skip


@cache
def golden_set(name: str) -> GoldenSet:
    return read_set(GOLDEN / f"golden_{name}.json")


@pytest.mark.parametrize("name", SETS)
def test_every_result_of_a_public_set_matches(name: str) -> None:
    golden = golden_set(name)
    checked = list(check([golden]))
    assert len(checked) >= golden.meta["number_of_results"] > 0
    assert [one.record.id for one in checked if one.verdict != MATCHED] == []
    assert all(one.n_compared > 0 for one in checked)


def test_the_public_sets_hold_every_analysis_that_the_runner_knows() -> None:
    seen = {record.analysis for name in SETS for record in golden_set(name).records}
    assert seen == set(ANALYSES)


def with_one_change(record: Record) -> Record | None:
    """The record with one number of R's changed; None if it has none that is computed."""
    raw = record.analysis.startswith("table1_") and record.by is None
    if raw or record.analysis == "p_adjust":
        wrong = {"kw_stat": 1.25} if "kw_stat" in record.scalars else {"chisq_default": 1.25}
        rows = [
            {**row, "holm": row["holm"] + 1e-6} if "holm" in row else row for row in record.rows
        ]
        return replace(record, rows=rows, scalars={**record.scalars, **wrong} if raw else {})
    given = {"value", "count", "x", "n", "time", "tau", "cause", "df", "n_risk"}
    if record.analysis == "cox_frailty":
        given |= {"p", "chisq"}  # of a term that says little they may differ much
    factor = 1.5 if record.analysis == "cox_frailty" else 1.0001
    for index in reversed(range(len(record.rows))):
        for name, value in reversed(record.rows[index].items()):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and value > 1e-6 and name not in given:
                rows = [dict(row) for row in record.rows]
                rows[index][name] = value * factor
                return replace(record, rows=rows)
    return None


def one_of_each() -> list[Any]:
    found = {}
    for name in ("edge", "lung", "myeloid", "paper_table1"):
        for record in golden_set(name).records:
            changed = with_one_change(record)
            if record.analysis not in found and changed is not None:
                found[record.analysis] = pytest.param(name, record, changed, id=record.analysis)
    return list(found.values())


@pytest.mark.parametrize(("name", "record", "changed"), one_of_each())
def test_one_changed_number_of_any_analysis_is_seen(
    name: str, record: Record, changed: Record
) -> None:
    assert check_record(golden_set(name), record).verdict == MATCHED
    assert check_record(golden_set(name), changed).verdict == DIFFERING


def test_every_analysis_has_a_number_that_can_be_changed() -> None:
    assert {param.values[1].analysis for param in one_of_each()} == set(ANALYSES)


def small_folder(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """The hand-typed cases with one endpoint's records only."""
    for name in ("edge.csv", "edge_cr.csv"):
        shutil.copy(GOLDEN / name, tmp_path / name)
    content = json.loads((GOLDEN / "golden_edge.json").read_text(encoding="utf-8"))
    content["results"] = [r for r in content["results"] if "|heavy_ties|" in r["id"]]
    return tmp_path, content


def write(folder: Path, content: dict[str, Any], name: str = "golden_edge.json") -> None:
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def test_a_folder_that_matches_exits_with_0_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, content = small_folder(tmp_path)
    write(folder, content)
    assert main([str(folder)]) == 0
    last = capsys.readouterr().out.splitlines()[-1].split()
    assert last[:4] == ["all", str(len(content["results"])), "0", "0"]


def test_a_folder_with_one_changed_number_exits_with_1_and_names_the_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, content = small_folder(tmp_path)
    record = next(r for r in content["results"] if r["analysis"] == "logrank")
    record["scalars"]["chisq"] += 1e-6
    write(folder, content)
    assert main([str(folder)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if line.startswith("differing")] == [
        line for line in printed if f"{record['id']}: chisq is" in line
    ]


def test_an_unknown_kind_is_unsupported_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, content = small_folder(tmp_path)
    content["results"][0]["analysis"] = "parametric_survival"
    write(folder, content)
    assert main([str(folder)]) == 1
    printed = capsys.readouterr().out
    assert f"unsupported  {content['results'][0]['id']}: no such analysis here" in printed
    assert printed.count("unsupported  edge|") == 1


def test_a_record_that_cannot_be_computed_is_unsupported_with_its_reason() -> None:
    golden = golden_set("lung")
    record = next(r for r in golden.records if r.analysis == "coxph")
    spline = replace(record, args={**record.args, "rhs": "pspline(age)"})
    checked = check_record(golden, spline)
    assert checked.verdict == UNSUPPORTED
    assert "pspline(age)" in checked.reason


def test_an_empty_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "holds no golden_*.json" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", '{"meta": {}}', '{"results": [{"id": 1}]}'])
def test_a_file_of_another_form_is_an_error(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "golden_x.json").write_text(text, encoding="utf-8")
    assert main([str(tmp_path)]) == 2
    assert "golden_x.json is not a golden file" in capsys.readouterr().err


def test_a_file_without_results_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"meta": {}, "results": []})
    assert main([str(tmp_path)]) == 2


def test_nothing_depends_on_the_names_of_sets_or_columns(tmp_path: Path) -> None:
    """The lung data under other names give the same results."""
    new = {"os_time": "weeks", "os_event": "seen", "sex": "x1", "ecog": "x2", "inst": "site"}
    header, *lines = (GOLDEN / "lung.csv").read_text(encoding="utf-8").splitlines()
    renamed = ",".join(f'"{new.get(name, name)}"' for name in header.replace('"', "").split(","))
    (tmp_path / "cohort.csv").write_text("\n".join([renamed, *lines]) + "\n", encoding="utf-8")
    content = json.loads((GOLDEN / "golden_lung.json").read_text(encoding="utf-8"))
    kinds = ("coxph", "cox_zph", "logrank", "cox_term_lrt", "interaction", "km_quantiles")
    text = json.dumps([r for r in content["results"] if r["analysis"] in kinds])
    for old, name in new.items():
        text = text.replace(f'"{old}"', f'"{name}"')
        for before in ('"rhs": "', " + "):
            text = text.replace(f"{before}{old} ", f"{before}{name} ")
            text = text.replace(f'{before}{old}"', f'{before}{name}"')
    for level in ("female", "male"):
        text = text.replace(f'"sex{level}"', f'"x1{level}"')
    for level in "123":
        text = text.replace(f'"ecog{level}"', f'"x2{level}"')
    columns = {new.get(name, name): kind for name, kind in content["meta"]["columns"].items()}
    meta = {**content["meta"], "dataset": "cohort", "csv": "cohort.csv", "columns": columns}
    write(tmp_path, {"meta": meta, "results": json.loads(text)}, "golden_cohort.json")
    golden = read_set(tmp_path / "golden_cohort.json")
    checked = list(check([golden]))
    assert len(checked) > 60
    assert [one.record.id for one in checked if one.verdict != MATCHED] == []


def one_number(name: str, ours: Any, theirs: Any, relative: float = ITERATED, **row: Any) -> bool:
    outcome = compare(({}, [{name: ours}]), {}, [{**row, name: theirs}], relative)
    return not any(d.place.endswith(f" {name}") for d in outcome.differences)


def test_numbers_agree_within_the_stated_tolerances_only() -> None:
    assert one_number("coef", 2.0, 2.0 + 1.9e-6)
    assert not one_number("coef", 2.0, 2.0 + 2.1e-6)
    assert one_number("coef", 1e-9, 2e-7, se=0.5)
    assert not one_number("coef", 1e-9, 6e-7, se=0.5)
    assert one_number("survival", 0.5, 0.5 + 4e-10, CLOSED)
    assert not one_number("survival", 0.5, 0.5 + 6e-10, CLOSED)


def test_counts_must_be_equal() -> None:
    assert one_number("n_risk", 1000000, 1000000)
    assert not one_number("n_risk", 1000001, 1000000)


def test_tiny_p_values_agree_by_their_order_of_magnitude() -> None:
    assert one_number("p", 3e-40, 1e-40)
    assert not one_number("p", 1e-38, 1e-40)
    assert not one_number("p", 0.0, 1e-40)
    assert not one_number("p", 1.1e-11, 1e-11)


def test_a_missing_number_agrees_with_a_missing_number_only() -> None:
    assert one_number("median_upper", None, None)
    assert one_number("median_upper", float("nan"), None)
    assert not one_number("median_upper", 5.0, None)
    assert not one_number("median_upper", None, 5.0)


def test_a_field_that_is_not_computed_does_not_match() -> None:
    outcome = compare(({}, [{"coef": 1.0}]), {}, [{"coef": 1.0, "deviance": 2.0}], ITERATED)
    assert [d.place for d in outcome.differences] == ["row 1 deviance"]


def test_another_number_of_rows_does_not_match() -> None:
    outcome = compare(({}, []), {}, [{"coef": 1.0}], ITERATED)
    assert [d.place for d in outcome.differences] == ["number of rows"]


def test_not_estimable_agrees_with_a_runaway_coefficient_only() -> None:
    ours = ({}, [{"coef": "not estimable", "se": "not estimable"}])
    assert not compare(ours, {}, [{"coef": -21.0, "se": 2.1e4}], ITERATED).differences
    assert compare(ours, {}, [{"coef": -0.7, "se": 0.4}], ITERATED).differences
    warned = {"warnings": ["Loglik converged before variable 1 ; coefficient may be infinite. "]}
    assert not compare(ours, warned, [{"coef": -14.0, "se": 60.0}], ITERATED).differences
    assert compare(
        ({}, [{"coef": -13.9, "se": 60.0}]), warned, [{"coef": -14.0, "se": 60.0}], ITERATED
    ).differences


def test_no_test_agrees_with_a_test_of_a_runaway_coefficient_only() -> None:
    """R's cox.zph gives about 0 for it."""
    ours = ({}, [{"chisq": "not estimable", "p": "not estimable", "df": 1}])
    nothing = {"chisq": 1.5e-6, "p": 0.999, "df": 1}
    assert not compare(ours, {}, [nothing], ITERATED).differences
    assert compare(ours, {}, [{"chisq": 0.08, "p": 0.777, "df": 1}], ITERATED).differences
    assert compare(ours, {}, [{**nothing, "df": 2}], ITERATED).differences


def test_a_frailty_without_variance_agrees_with_none_only() -> None:
    assert one_number("theta", 1e-6, 5e-9)
    assert not one_number("theta", 0.01, 5e-9)
    assert one_number("theta", 0.52, 0.5)
    assert not one_number("theta", 0.58, 0.5)


def test_a_small_chi_squared_agrees_as_far_as_its_z_does() -> None:
    """z 0.33 and 0.336: a hundredth of a standard error."""
    assert one_number("chisq", 0.1129, 0.1089, 2e-2, se=1.0)
    assert not one_number("chisq", 0.1129, 0.1089, 2e-3, se=1.0)
    assert not one_number("chisq", 0.1129, 0.1089, 2e-2)


@pytest.mark.parametrize("text", ["no,curve\n1,2\n", "endpoint,by,stratum,time\nos,all,all,soon\n"])
def test_curves_of_another_form_are_an_error(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, content = small_folder(tmp_path)
    write(folder, content)
    (folder / "golden_edge_curves.csv").write_text(text, encoding="utf-8")
    assert main([str(folder)]) == 2
    assert "golden_edge_curves.csv holds no curves" in capsys.readouterr().err


def test_a_csv_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, content = small_folder(tmp_path)
    write(folder, content)
    for name in ("edge.csv", "edge_cr.csv"):
        (folder / name).unlink()
    assert main([str(folder)]) == 1
    assert "there is no file edge.csv beside golden_edge.json" in capsys.readouterr().out


def test_the_console_script_is_this_command() -> None:
    project = tomllib.loads((GOLDEN.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    module, name = project["project"]["scripts"]["carmony-golden"].split(":")
    assert getattr(import_module(module), name) is main


def test_levels_written_as_numbers_and_single_values_are_read_like_lists(tmp_path: Path) -> None:
    """A file in which R's writer made numbers of levels, and single values of lists of one."""
    shutil.copy(GOLDEN / "lung.csv", tmp_path / "lung.csv")
    content = json.loads((GOLDEN / "golden_lung.json").read_text(encoding="utf-8"))
    content["meta"]["columns"]["ecog"]["levels"] = [0, 1, 2, 3]
    kept = []
    for record in content["results"]:
        if record["analysis"] in ("coxph", "km_quantiles", "cox_term_lrt"):
            one = len(record["rows"]) == 1
            kept.append({**record, "rows": record["rows"][0] if one else record["rows"]})
    assert any(isinstance(record["rows"], dict) for record in kept)
    write(tmp_path, {"meta": content["meta"], "results": kept}, "golden_lung.json")
    checked = list(check([read_set(tmp_path / "golden_lung.json")]))
    assert [one.record.id for one in checked if one.verdict != MATCHED] == []


def test_subgroups_in_which_nothing_can_be_estimated_are_told_as_r_tells_them() -> None:
    golden = golden_set("lung")
    record = next(r for r in golden.records if r.analysis == "subgroup_forest")
    alone = dict(record.rows[-1])
    assert (alone["level"], alone["term"]) == ("3", None)
    named = replace(record, rows=[*record.rows[:-1], {**alone, "term": "sexfemale"}])
    assert check_record(golden, record).verdict == MATCHED
    assert check_record(golden, named).verdict == MATCHED
    wrong = replace(record, rows=[*record.rows[:-1], {**alone, "term": "sexfemale", "coef": 0.5}])
    assert check_record(golden, wrong).verdict == DIFFERING
