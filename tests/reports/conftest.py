"""A synthetic cohort in `core` whose counts are those of the published Table 1."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.spec.study import Study
from tests.derive import by_hand

# Columns: talquetamab, teclistamab, IMiD/PI/CD38, other (Merz 2024, Table 1; MyCARe high of other is 7).
SIZES = (28, 37, 43, 31)
DRUGS = ("talquetamab", "teclistamab", "daratumumab+pomalidomide", "cyclophosphamide+etoposide")
COUNTS: dict[str, dict[str, tuple[int, int, int, int]]] = {
    "sex": {"F": (17, 15, 17, 10), "M": (11, 22, 26, 21)},
    "product": {"IDE": (26, 36, 39, 29), "CILTA": (2, 1, 4, 2)},
    "r_iss": {"I": (8, 5, 9, 3), "II": (12, 18, 18, 17), "III": (8, 14, 16, 11)},
    "TRIPLE": {"Y": (23, 33, 36, 23), "N": (5, 4, 7, 8)},
    "PENTA": {"Y": (15, 20, 18, 11), "N": (13, 17, 25, 20)},
    "prior_bcma": {"Y": (8, 5, 8, 5), "N": (20, 32, 35, 26)},
    "mycare": {"LOW": (7, 6, 4, 5), "INTERMEDIATE": (18, 26, 31, 19), "HIGH": (3, 5, 8, 7)},
    "ecog": {"0": (7, 7, 4, 4), "1": (19, 25, 28, 27), "2": (2, 5, 11, 0)},
    "emd": {"Y": (14, 19, 22, 18), "N": (14, 18, 21, 13)},
    "subsequent": {"Y": (6, 14, 24, 21), "N": (22, 23, 19, 10)},
    "response": {
        "sCR": (4, 5, 0, 0),
        "CR": (7, 7, 0, 1),
        "VGPR": (6, 7, 1, 1),
        "PR": (5, 5, 12, 6),
        "SD": (6, 13, 30, 23),
    },
}
# Share of deaths and the scale of survival in days, group by group.
DEATHS = ((0.25, 500), (0.38, 420), (0.72, 230), (0.80, 190))


def _expanded(name: str, group: int) -> list[str]:
    return [level for level, counts in COUNTS[name].items() for _ in range(counts[group])]


def patients() -> list[dict[str, Any]]:
    """One record per patient, the same ones every time."""
    found = []
    for group, size in enumerate(SIZES):
        columns = {name: _expanded(name, group) for name in COUNTS}
        for index in range(size):
            # Another order in each column, the best responses with the longest survival.
            record: dict[str, Any] = {
                name: values[(index + 3 * position) % size] if name != "response" else values[index]
                for position, (name, values) in enumerate(columns.items())
            }
            share, scale = DEATHS[group]
            quantile = (index + 0.5) / size
            infused = dt.date(2022, 3, 1) + dt.timedelta(days=(group * 53 + index * 11) % 400)
            relapsed = infused + dt.timedelta(days=30 + (index * 37 + group * 19) % 500)
            started = relapsed + dt.timedelta(days=5 + index % 20)
            follow_up = 90 + (index * 61 + group * 13) % 420
            survival = max(12, round(-scale * math.log(quantile * share + 0.02)))
            dies = quantile > 1 - share and survival < follow_up + 200
            record |= {
                "usubjid": f"MYE-C{index % 12 + 1:02d}-{group}{index:03d}",
                "infused": infused,
                "relapsed": relapsed,
                "started": started,
                "age": 40 + (index * 13 + group * 5) % 39,
                "lines": 3 + (index * 5) % 12,
                "drugs": DRUGS[group],
                "death": started + dt.timedelta(days=survival) if dies else None,
                "contact": started + dt.timedelta(days=survival if dies else follow_up),
            }
            found.append(record)
    return found


def _drawn(header: str, lines: list[str]) -> str:
    return "\n".join([header, *lines])


def core_tables() -> dict[str, str]:
    """The cohort as drawn tables of `core`."""
    everyone = patients()
    lines, responses, exposures = [], [], []
    for p in everyone:
        lines.append(f"{p['usubjid']}|1|{p['started']}|{p['drugs']}")
        responded = p["started"] + dt.timedelta(days=10)
        responses.append(f"{p['usubjid']}|1|BEST|{responded}|{p['response']}")
        if p["subsequent"] == "Y":
            later = p["started"] + dt.timedelta(days=11)
            lines.append(f"{p['usubjid']}|2|{later}|bortezomib")
        exposures += [f"{p['usubjid']}|{name}|Y|{p[name]}" for name in ("TRIPLE", "PENTA")]
    return {
        "subject": _drawn(
            "usubjid|country|sex|birth_year",
            [f"{p['usubjid']}|DE|{p['sex']}|1960" for p in everyone],
        ),
        "infusion": _drawn(
            "usubjid|infusion_number|product|infusion_date|age_at_infusion|prior_lines|prior_bcma|ecog",
            [
                f"{p['usubjid']}|1|{p['product']}|{p['infused']}|{p['age']}|{p['lines']}|{p['prior_bcma']}|{p['ecog']}"
                for p in everyone
            ],
        ),
        "relapse": _drawn(
            "usubjid|relapse_number|relapse_date|emd",
            [f"{p['usubjid']}|1|{p['relapsed']}|{p['emd']}" for p in everyone],
        ),
        "risk": _drawn(
            "usubjid|timepoint|r_iss|mycare",
            [f"{p['usubjid']}|BEFORE_CART|{p['r_iss']}|{p['mycare']}" for p in everyone],
        ),
        "exposure": _drawn("usubjid|drug|exposed|refractory", exposures),
        "treatment_line": _drawn("usubjid|line_number|start_date|drugs", lines),
        "response": _drawn("usubjid|line_number|kind|response_date|category", responses),
        "follow_up": _drawn(
            "usubjid|last_contact_date|vital_status|death_date",
            [
                f"{p['usubjid']}|{p['contact']}|{'DEAD' if p['death'] else 'ALIVE'}|{p['death'] or ''}"
                for p in everyone
            ],
        ),
    }


@pytest.fixture(scope="session")
def study() -> Study:
    return by_hand.make_study()


@pytest.fixture(scope="session")
def create_core() -> Any:
    """`create_core(con, **tables)` of the tests of the derivations."""
    return by_hand.create_core


@pytest.fixture(scope="session")
def cohort() -> dict[str, str]:
    """The cohort as drawn tables, for `create_core`."""
    return core_tables()


@pytest.fixture(scope="session")
def warehouse(made_once: Callable[[str, Callable[[Path], object]], Path], study: Study) -> Path:
    """A warehouse file of the cohort with its estimates; nobody writes into it."""
    from reports.estimates import write_estimates
    from warehouse.alternatives import add_alternatives
    from warehouse.analysis import derive

    def make(folder: Path) -> None:
        folder.mkdir()
        con = duckdb.connect(str(folder / "warehouse.duckdb"))
        by_hand.create_core(con, **core_tables())
        derive(con, study)
        add_alternatives(con, study)
        write_estimates(con, study)
        con.close()

    return made_once("report-warehouse", make) / "warehouse.duckdb"


@pytest.fixture(scope="session")
def rendered(
    made_once: Callable[[str, Callable[[Path], object]], Path], warehouse: Path, study: Study
) -> Path:
    """The page of that warehouse, with its exports beside it; nobody writes there."""
    from reports.render import render

    return made_once("report", lambda folder: render(warehouse, folder, study)) / "report.html"
