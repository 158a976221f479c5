"""Every competing-risk number against R 4.2.2, survival 3.5-3, cmprsk 2.2-11 (golden/README.md)."""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.stats.competing.aalen_johansen import aalen_johansen, states_at
from reports.stats.competing.fine_gray import fine_gray
from reports.stats.competing.fine_gray_cox import subdistribution_cox
from reports.stats.competing.gray import gray_test
from reports.stats.competing.incidence import cumulative_incidence, incidence_at

GOLDEN = Path(__file__).parent / "golden"
CLOSED, ITERATED = 1e-9, 1e-6


@cache
def golden() -> dict[str, Any]:
    return json.loads((GOLDEN / "competing.json").read_text(encoding="utf-8"))


@cache
def small_sets() -> list[dict[str, Any]]:
    return json.loads((GOLDEN / "small_sets.json").read_text(encoding="utf-8"))


def records(analysis: str) -> list[Any]:
    found = [record for record in golden()["records"] if record["analysis"] == analysis]
    return [pytest.param(record, id=record["id"]) for record in found]


def person_data(record: dict[str, Any]) -> tuple[Any, Any, Any]:
    data = golden()["sets"][record["data"]]
    by = record["by"]
    group = np.array(data["columns"][by]["values"]) if by else None
    return np.array(data["time"], dtype=float), np.array(data["status"]), group


def design(record: dict[str, Any]) -> tuple[Any, Any, Any, list[str]]:
    """Complete persons: times, codes, model matrix by treatment contrasts, names of the terms."""
    time, status, _ = person_data(record)
    columns, names = [], []
    for term in record["args"]["rhs"].split(" + "):
        column = golden()["sets"][record["data"]]["columns"][term]
        if column["levels"] is None:
            columns.append(np.array(column["values"], dtype=float))
            names.append(term)
        else:
            values = np.array(column["values"], dtype=object)
            known = np.array([value is not None for value in values])
            for level in column["levels"][1:]:
                columns.append(np.where(known, (values == level).astype(float), np.nan))
                names.append(term + level)
    matrix = np.column_stack(columns)
    complete = ~np.isnan(matrix).any(axis=1)
    return time[complete], status[complete], matrix[complete], names


def near(ours: float | None, theirs: float | None, tolerance: float, scale: float = 0.0) -> bool:
    if theirs is None:
        return ours is None or math.isnan(ours)
    if ours is None or math.isnan(ours):
        return False
    return abs(ours - theirs) <= max(tolerance * max(abs(theirs), scale), 1e-15)


def differing(pairs: dict[str, tuple[Any, Any]], tolerance: float, scale: float = 0.0) -> Any:
    return {name: pair for name, pair in pairs.items() if not near(*pair, tolerance, scale)}


@pytest.mark.parametrize("record", records("cuminc"))
def test_cumulative_incidence_and_its_variance_equal_cuminc(record: dict[str, Any]) -> None:
    time, status, group = person_data(record)
    found = incidence_at(
        cumulative_incidence(time, status, group), np.array(record["args"]["times"], dtype=float)
    )
    ours = {(row["group"], row["cause"], row["time"]): row for row in found.to_dicts()}
    assert len(ours) == len(record["rows"])
    for row in record["rows"]:
        mine = ours[row["stratum"], row["cause"], row["time"]]
        pairs = {
            "cif": (mine["incidence"], row["cif"]),
            "var": (mine["variance"], row["var"]),
            "se": (mine["std_err"], row["se"]),
            "lower_loglog": (mine["lower"], row["lower_loglog"]),
            "upper_loglog": (mine["upper"], row["upper_loglog"]),
            "lower_plain": (mine["lower_plain"], row["lower_plain"]),
            "upper_plain": (mine["upper_plain"], row["upper_plain"]),
        }
        assert not differing(pairs, CLOSED), row


@pytest.mark.parametrize("record", records("aalen_johansen"))
def test_standard_error_of_the_states_equals_survfit(record: dict[str, Any]) -> None:
    time, status, group = person_data(record)
    found = states_at(
        aalen_johansen(time, status, group),
        np.array(record["args"]["times"], dtype=float),
        conf_type=record["args"]["conf_type"],
    )
    ours = {(row["group"], row["cause"], row["time"]): row for row in found.to_dicts()}
    assert len(ours) == len(record["rows"])
    for row in record["rows"]:
        mine = ours[row["stratum"], row["cause"], row["time"]]
        assert mine["n_risk"] == row["n_risk"]
        pairs = {
            "cif": (mine["incidence"], row["cif"]),
            "se": (mine["std_err"], row["se"]),
            "lower": (mine["lower"], row["lower"]),
            "upper": (mine["upper"], row["upper"]),
        }
        assert not differing(pairs, CLOSED), row


@pytest.mark.parametrize("record", records("gray_test"))
def test_gray_statistics_equal_cuminc(record: dict[str, Any]) -> None:
    time, status, group = person_data(record)
    for row in record["rows"]:
        result = gray_test(time, status, group, cause=row["cause"], rho=record["args"]["rho"])
        assert result is not None
        assert result.df == row["df"]
        assert not differing(
            {"stat": (result.statistic, row["stat"]), "p": (result.p, row["p"])}, CLOSED
        )


@pytest.mark.parametrize("record", records("crr"))
def test_fine_gray_models_equal_crr(record: dict[str, Any]) -> None:
    time, status, matrix, names = design(record)
    model = fine_gray(time, status, matrix, cause=record["args"]["failcode"])
    scalars = record["scalars"]
    assert model is not None
    assert model.converged
    assert (model.n, model.n_event) == (scalars["n_used"], scalars["n_event"])
    pairs = {name: (getattr(model, name), scalars[name]) for name in ("loglik", "loglik_null")}
    pairs["pseudo_lrt"] = (model.likelihood_ratio, scalars["pseudo_lrt"])
    assert not differing(pairs, CLOSED)
    assert names == [row["term"] for row in record["rows"]]
    for index, row in enumerate(record["rows"]):
        pairs = {
            "coef": (model.coefficient[index], row["coef"]),
            "se": (model.std_err[index], row["se"]),
            "shr": (model.hazard_ratio[index], row["shr"]),
        }
        assert not differing(pairs, ITERATED, row["se"])
        assert near(model.p[index], row["p"], ITERATED, row["se"])
        limits = np.exp([model.lower[index], model.upper[index]])
        assert limits == pytest.approx([row["shr_lower"], row["shr_upper"]], rel=1e-6)


@pytest.mark.parametrize("record", records("finegray_coxph"))
def test_weighted_cox_models_equal_finegray_and_coxph(record: dict[str, Any]) -> None:
    time, status, matrix, names = design(record)
    args, scalars = record["args"], record["scalars"]
    model = subdistribution_cox(time, status, matrix, cause=args["etype"], ties=args["ties"])
    assert model is not None
    assert model.converged
    assert (model.n_rows, model.n_event) == (scalars["n_rows_expanded"], scalars["n_event"])
    pairs = {
        name: (getattr(model, name), scalars[name])
        for name in ("loglik", "loglik_null", "sum_weights")
    }
    assert not differing(pairs, CLOSED)
    assert names == [row["term"] for row in record["rows"]]
    for index, row in enumerate(record["rows"]):
        pairs = {
            "coef": (model.coefficient[index], row["coef"]),
            "se": (model.std_err[index], row["se"]),
            "robust_se": (model.robust_std_err[index], row["robust_se"]),
        }
        assert not differing(pairs, ITERATED, row["robust_se"])
        assert near(model.p[index], row["p"], ITERATED, row["robust_se"])


@pytest.mark.parametrize("number", range(12))
def test_ties_time_zero_three_causes_and_strata_equal_r(number: int) -> None:
    data = small_sets()[number]
    time, status = np.array(data["time"]), np.array(data["status"])
    group, strata = np.array(data["group"]), np.array(data["stratum"])
    expected = data["expected"]
    ours = {
        (row["group"], row["cause"], row["time"]): row
        for row in incidence_at(
            cumulative_incidence(time, status, group), np.unique(time)
        ).to_dicts()
    }
    for key, (value, variance) in expected["cuminc"].items():
        curve, at = key.split("|")
        name, cause = curve.split(" ")
        mine = min(
            (row for (g, c, _), row in ours.items() if (g, c) == (name, int(cause))),
            key=lambda row: abs(row["time"] - float(at)),
        )
        pairs = {"cif": (mine["incidence"], value), "var": (mine["variance"], variance)}
        assert not differing(pairs, CLOSED)
    for kind, layers, rho in (
        ("gray", None, 0.0),
        ("graystrat", strata, data["rho_stratified"]),
    ):
        for cause, (statistic, p) in expected[kind].items():
            result = gray_test(time, status, group, cause=int(cause), strata=layers, rho=rho)
            assert result is not None
            assert not differing(
                {"stat": (result.statistic, statistic), "p": (result.p, p)}, CLOSED
            )


@pytest.mark.parametrize("number", range(12))
def test_models_with_ties_and_time_zero_equal_r(number: int) -> None:
    data = small_sets()[number]
    time, status, matrix = np.array(data["time"]), np.array(data["status"]), np.array(data["x"])
    expected = data["expected"]
    model = fine_gray(time, status, matrix, cause=1)
    grouped = fine_gray(time, status, matrix, cause=1, censor_groups=np.array(data["censoring"]))
    weighted = subdistribution_cox(time, status, matrix, cause=1, ties="efron")
    assert model is not None
    assert grouped is not None
    assert weighted is not None
    assert weighted.n_rows == expected["rows"]["efron"][0]
    assert near(weighted.sum_weights, expected["rows"]["efron"][1], CLOSED)
    for index in range(2):
        key = str(index + 1)
        coefficient, error = expected["crr0"][key]
        robust_coefficient, robust = expected["efron"][key]
        naive, loglik = expected["efronn"][key]
        pairs = {
            "coef": (model.coefficient[index], coefficient),
            "se": (model.std_err[index], error),
            "with censoring groups": (grouped.coefficient[index], expected["crr1"][key][0]),
            "finegray coef": (weighted.coefficient[index], robust_coefficient),
            "finegray robust se": (weighted.robust_std_err[index], robust),
            "finegray se": (weighted.std_err[index], naive),
        }
        assert not differing(pairs, ITERATED, error)
        assert near(weighted.loglik, loglik, CLOSED)
