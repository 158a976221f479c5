"""The tables of the second demo study: `python -m demo.second_study demo/second`.

Synthetic patients who got two bispecific antibodies one after the other, as adsl and adtte. No real
person is in them, and no published study: the effects are made up. The same seed gives the same bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PATIENTS, SEED = 96, 11
FIRST_DAY, DATA_CUT = dt.date(2023, 1, 9), dt.date(2025, 6, 30)
SITES = ("S01", "S02", "S03", "S04", "S05", "S06")
# Median months without progression; hazard ratios of extramedullary disease and of ECOG 2.
MEDIAN_MONTHS = {"TAL_TEC": 6.5, "TEC_TAL": 8.0}
EMD_RATIO, ECOG_RATIO = 1.9, 1.6
DAYS_PER_MONTH = 30.4375
UNKNOWN_SHARE = 0.05


def patient(number: int, draw: random.Random) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """One row of adsl and the rows of adtte of a patient."""
    sequence = draw.choice(("TAL_TEC", "TEC_TAL", "TAL_TEC"))
    emd, ecog = draw.random() < 0.4, draw.choices((0, 1, 2), (3, 5, 2))[0]
    direct = draw.random() < 0.6
    gap = draw.uniform(0.5, 3) if direct else draw.uniform(3, 14)
    row = {
        "STUDYID": "TECTAL", "USUBJID": f"TECTAL-{number:03d}", "SITEID": draw.choice(SITES),
        "SEQUENCE": sequence, "AGE": draw.randint(44, 83), "SEX": draw.choice("FM"),
        "ECOG": ecog, "EMDFL": "NY"[emd], "PCARTFL": "NY"[draw.random() < 0.35],
        "NPRLINE": draw.randint(4, 11), "GAPM": round(gap, 1), "NEXTFL": "NY"[direct],
        "RESP1": "NY"[draw.random() < 0.6],
    }  # fmt: skip
    hazard = math.log(2) / MEDIAN_MONTHS[sequence] * EMD_RATIO**emd * ECOG_RATIO ** (ecog == 2)
    times = _times(hazard, draw)
    for name in ("ECOG", "EMDFL", "RESP1"):
        if draw.random() < UNKNOWN_SHARE:
            row[name] = ""
    keys = {"STUDYID": "TECTAL", "USUBJID": row["USUBJID"]}
    return row, [keys | time for time in times]


def _times(hazard: float, draw: random.Random) -> list[dict[str, Any]]:
    """Progression, death without it and loss to follow-up, whichever is first; death after progression."""
    start = FIRST_DAY + dt.timedelta(days=draw.randint(0, 700))
    observed = min((DATA_CUT - start).days, round(draw.expovariate(1 / 1500)) + 30)
    to_progression = round(draw.expovariate(hazard) * DAYS_PER_MONTH) + 7
    to_death = round(draw.expovariate(hazard * 0.25) * DAYS_PER_MONTH) + 3
    after = round(draw.expovariate(math.log(2) / 7) * DAYS_PER_MONTH) + 1
    death = to_death if to_death <= to_progression else to_progression + after
    first = min(to_progression, to_death)
    progressed = to_progression < to_death
    return [
        _row("OS", "Overall survival", start, death, observed, 0),
        _row("PFS", "Progression-free survival", start, first, observed, 0),
        _row("CIR", "Progression, death competing", start, first, observed, 0 if progressed else 2),
    ]


def _row(
    code: str, label: str, start: dt.date, days: int, observed: int, status: int
) -> dict[str, Any]:
    is_seen = days <= observed
    until = days if is_seen else observed
    return {
        "PARAMCD": code, "PARAM": label, "STARTDT": start.isoformat(),
        "ADT": (start + dt.timedelta(days=until)).isoformat(), "AVAL": until + 1, "AVALU": "DAYS",
        "CNSR": status if is_seen else 1,
    }  # fmt: skip


def write_second_study(folder: Path) -> None:
    """Writes `adsl.csv` and `adtte.csv` into a folder."""
    draw = random.Random(SEED)
    made = [patient(number, draw) for number in range(1, PATIENTS + 1)]
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "adsl.csv", [row for row, _ in made])
    _write(folder / "adtte.csv", [time for _, times in made for time in times])


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    write_second_study(Path(sys.argv[1]))
