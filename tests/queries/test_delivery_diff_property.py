"""Whatever two deliveries hold: the difference applied to the first gives the second."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.queries.delivery_case import CATALOG, changes, frame
from warehouse.delivery_diff.values import value_text
from warehouse.queries.instances import instance_expr

DAYS = st.sampled_from([None, "2023", "2023-01", "2023-01-05", "2023-02-05", "2023-03-05"])
PATIENT = st.sampled_from(["A", "B", "C"])
RESPONSE = st.fixed_dictionaries(
    {
        "patient_id": PATIENT,
        "line_number": st.sampled_from([1, 2]),
        "kind": st.sampled_from(["BEST", "ASSESSMENT"]),
        "response_date": DAYS,
        "category": st.sampled_from([None, "PR", "CR"]),
        "m_protein_serum": st.sampled_from([None, 0.0, 0.5, 12.0]),
        "m_protein_serum_comparator": st.sampled_from([None, "<"]),
    }
)
LAB = st.fixed_dictionaries(
    {
        "patient_id": PATIENT,
        "lab_date": DAYS,
        "test": st.sampled_from(["HB", "LDH"]),
        "value": st.sampled_from([None, 1.0, 2.5]),
    }
)
FOLLOW_UP = st.fixed_dictionaries(
    {"patient_id": PATIENT, "vital_status": st.sampled_from(["ALIVE", "DEAD"]), "death_date": DAYS}
)


def delivery() -> st.SearchStrategy[dict[str, list[dict[str, Any]]]]:
    return st.fixed_dictionaries(
        {
            "response": st.lists(RESPONSE, max_size=7),
            "lab": st.lists(LAB, max_size=7),
            "follow_up": st.lists(FOLLOW_UP, max_size=4),
        }
    )


def told(table: str, rows: list[dict[str, Any]]) -> list[tuple[str, str, dict[str, str]]]:
    """Patient, instance and the values as text of every row."""
    declared = CATALOG.tables[table]
    known = frame(table, rows).select(
        "patient_id",
        instance_expr(declared).alias("instance"),
        *(value_text(column) for column in declared.columns),
    )
    return [
        (
            row.pop("patient_id"),
            row.pop("instance"),
            {k: v for k, v in row.items() if v is not None},
        )
        for row in known.to_dicts()
    ]


def applied(
    table: str, before: list[dict[str, Any]], found: pl.DataFrame
) -> list[tuple[str, dict[str, str]]]:
    """The rows before, changed as the difference says. No two of them agree in patient and key."""
    rows = {(patient, instance): values for patient, instance, values in told(table, before)}
    out: list[tuple[str, dict[str, str]]] = []
    for change in found.filter(pl.col("table") == table).to_dicts():
        key = (change["patient_id"], change["instance"])
        if change["level"] == "value":
            assert rows[key].get(change["column"]) == change["before"]
            rows[key].pop(change["column"], None)
            if change["after"] is not None:
                rows[key][change["column"]] = change["after"]
        elif change["change"] == "removed":
            del rows[key]
        elif change["level"] == "record":
            out.append((key[0], dict(part.split("=", 1) for part in change["after"].split("; "))))
    return out + [(patient, values) for (patient, _), values in rows.items()]


def counted(rows: list[tuple[str, dict[str, str]]]) -> Counter[Any]:
    return Counter((patient, tuple(sorted(values.items()))) for patient, values in rows)


@settings(max_examples=60, deadline=None)
@given(delivery(), delivery())
def test_the_difference_applied_to_the_first_gives_the_second(
    before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]
) -> None:
    for table, rows in before.items():
        keys = ("patient_id", *CATALOG.tables[table].instance)
        before[table] = list({tuple(row.get(k) for k in keys): row for row in rows}.values())
        # A month and its first day are one day to the key.
        named = {
            (p, i): row
            for (p, i, _), row in zip(told(table, before[table]), before[table], strict=True)
        }
        before[table] = list(named.values())
    with tempfile.TemporaryDirectory() as folder:
        found = changes(Path(folder), before, after)
    for table in before:
        second = [(patient, values) for patient, _, values in told(table, after[table])]
        assert counted(applied(table, before[table], found)) == counted(second)
    people = [{r["patient_id"] for rows in side.values() for r in rows} for side in (before, after)]
    whole = found.filter(pl.col("level") == "patient").select("patient_id", "change").rows()
    assert set(whole) == {
        *((patient, "added") for patient in people[1] - people[0]),
        *((patient, "removed") for patient in people[0] - people[1]),
    }


@settings(max_examples=20, deadline=None)
@given(delivery(), st.randoms(use_true_random=False))
def test_the_same_rows_in_another_order_and_held_or_not_do_not_differ(
    rows: dict[str, list[dict[str, Any]]], random: Any
) -> None:
    kept: dict[str, list[dict[str, Any]]] = {}
    held: dict[str, list[dict[str, Any]]] = {}
    for table, content in rows.items():
        mixed = random.sample(content, len(content))
        cut = random.randint(0, len(mixed))
        kept[table], held[table] = mixed[:cut], mixed[cut:]
    with tempfile.TemporaryDirectory() as folder:
        assert changes(Path(folder), rows, kept, held_after=held).is_empty()
