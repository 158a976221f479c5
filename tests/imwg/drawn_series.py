"""Lines of therapy drawn at random, crowded around the thresholds and full of gaps."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

Row = dict[str, Any]
SCENES = ("serum", "urine", "both", "flc", "marrow", "none", "anything")
FACTORS = (0, 0.05, 0.1, 0.101, 0.25, 0.49, 0.5, 0.51, 0.7, 0.75, 0.751, 1, 1.24, 1.25, 1.3, 2)
RISES = {"m_serum": (4.99, 5, 9.99, 10), "m_urine": (199, 200, 201), "marrow": (9.9, 10, 11)}
START = dt.date(2023, 3, 1)


def draw_lines(seed: int, count: int) -> list[list[Row]]:
    """`count` lines, each with its rows in order of date."""
    rng = random.Random(seed)
    return [draw_line(rng, number) for number in range(count)]


def draw_line(rng: random.Random, number: int) -> list[Row]:
    scene = rng.choice(SCENES)
    gaps = rng.choice((0, 0, 0.1, 0.3, 0.6))
    base = draw_baseline(rng, scene)
    day = START - dt.timedelta(days=rng.choice((0, 1, 20)))
    marked = rng.random() < 0.2
    line: Row = {
        "patient_id": f"P{number // 2:05d}",
        "line_number": number % 2,
        "line_start": None if marked or rng.random() < 0.05 else START,
        "next_line_on": START + dt.timedelta(days=150) if rng.random() < 0.2 else None,
        "plasmacytoma_before": True if rng.random() < 0.05 else None,
        "involved_chain": rng.choice(("KAPPA", "LAMBDA")) if rng.random() < 0.15 else None,
    }
    rows: list[Row] = []
    if rng.random() < 0.2:
        earlier = draw_baseline(rng, rng.choice(SCENES))
        rows.append(with_gaps(rng, {**earlier, "assessed_on": day - dt.timedelta(days=9)}, 0.5))
    if rng.random() < 0.95:
        baseline = {**base, "assessed_on": day, "is_baseline": True if marked else None}
        rows.append(with_gaps(rng, baseline, gaps * 0.5))
    day = max(day, START)
    seen = [base]
    for _ in range(rng.randint(1, 7)):
        day += dt.timedelta(days=rng.choice((1, 14, 28, 84, 85, 120)))
        row = draw_next(rng, base, seen)
        seen.append(row)
        rows.append(with_gaps(rng, {**row, "assessed_on": day}, gaps))
    return [later_line(number, {**line, **row}) for row in rows]


def later_line(number: int, row: Row) -> Row:
    """The second line of a patient beside the first one, after its start, or after most of it."""
    moved = dt.timedelta(days=(number % 2) * (0, 100, 300)[number // 2 % 3])
    dates = ("assessed_on", "line_start", "next_line_on")
    return row | {name: row[name] + moved for name in dates if row[name] is not None}


def draw_baseline(rng: random.Random, scene: str) -> Row:
    low_serum, low_urine = rng.choice((0, 0, 2, 9.99)), rng.choice((0, 0, 50, 100, 150, 199.9))
    serum = rng.choice((10, 12, 30, 45, 50, 60, 80))
    urine = rng.choice((200, 250, 400, 1000, 2000, 3000))
    flc = rng.choice(((5, 100), (150, 20), (800, 4), (3, 1200), (100, 10), (101, 61), (26, 100)))
    few = rng.choice(((10, 12), (99, 10), (150, 100), (20, 99.9), (0, 0), (5, 0)))
    marrow = rng.choice((30, 40, 60, 80)) if scene == "marrow" else rng.choice((3, 29.9, 30, 60))
    kappa, lambda_ = flc if scene == "flc" or rng.random() < 0.3 and scene != "marrow" else few
    if scene == "none":
        kappa, lambda_, marrow = *few, rng.choice((3, 10, 29.9))
    anything = scene == "anything"
    return {
        "m_serum": serum if scene in ("serum", "both") or anything else low_serum,
        "m_urine": urine if scene in ("urine", "both") else low_urine,
        "flc_kappa": kappa,
        "flc_lambda": lambda_,
        "marrow": marrow,
        "plasmacytoma_spd": rng.choice((None, None, 0, 0, 400, 900)),
        "lesion_diameter": rng.choice((None, 20, 30)),
        "lesion_short_axis": rng.choice((None, 10, 10.1, 15)),
        "ife_serum": rng.choice((None, "POSITIVE", "NEGATIVE", "NOT_DONE")),
        "ife_urine": rng.choice((None, "POSITIVE", "NEGATIVE", "NOT_DONE")),
    }


def draw_next(rng: random.Random, base: Row, seen: list[Row]) -> Row:
    row: Row = {}
    good = rng.random() < 0.35
    for name in ("m_serum", "m_urine", "flc_kappa", "flc_lambda", "marrow"):
        row[name] = near(rng, name, base[name], [r[name] for r in seen])
        if good and rng.random() < 0.85:
            row[name] = {"marrow": rng.choice((0, 2, 4.9, 5))}.get(
                name, 0 if name[0] == "m" else 10
            )
    if rng.random() < 0.2:
        row["flc_lambda"], row["flc_kappa"] = 100, rng.choice((25.9, 26, 165, 165.1))
    if rng.random() < 0.05:
        row["flc_kappa"], row["flc_lambda"] = row["flc_lambda"], row["flc_kappa"]
    for fluid in ("serum", "urine"):
        likely = "NEGATIVE" if good else "POSITIVE"
        row[f"ife_{fluid}"] = rng.choice((likely, likely, likely, "NEGATIVE", "NOT_DONE", None))
    row["clonal_marrow"] = rng.choice((None, None, "NEGATIVE", "POSITIVE"))
    row["marrow_by_flow"] = True if rng.random() < 0.1 else None
    size = base["plasmacytoma_spd"]
    row["plasmacytoma_spd"] = (
        rng.choice((None, None, 0, round((size or 400) * rng.choice(FACTORS), 3)))
        if size or rng.random() < 0.05
        else rng.choice((None, 0))
    )
    row["n_lesions"] = rng.choice((None, 1, 2))
    row["lesion_diameter"] = rng.choice((None, None, 10, 20, 29.9, 30, 45))
    row["lesion_short_axis"] = rng.choice((None, 10, 10.1))
    if rng.random() < 0.8:
        row["lesion_diameter"] = None
    row["new_lesion"] = rng.choice((True, False)) if rng.random() < 0.03 else None
    rare = rng.random() < 0.04
    row["progression_basis"] = rng.choice(("IMAGING", "CLINICAL", "SERUM")) if rare else None
    return row


def near(rng: random.Random, name: str, base: float, seen: list[float | None]) -> float:
    """A value on or beside a threshold: a share of the baseline, or a rise over an earlier value."""
    known = [value for value in seen if value is not None]
    if rng.random() < 0.12 and known:
        low = min(known)
        rise = rng.choice(RISES.get(name, (99, 100, 100.1, 101)))
        return round(low + rise, 3)
    if rng.random() < 0.1:
        return (
            rng.choice((0, 99.9, 100, 199.9, 200)) if name == "m_urine" else rng.choice((0, 5, 7))
        )
    return round(base * rng.choice(FACTORS), 3)


def with_gaps(rng: random.Random, row: Row, share: float) -> Row:
    kept = {"assessed_on", "is_baseline"}
    return {n: v if n in kept or rng.random() >= share else None for n, v in row.items()}
