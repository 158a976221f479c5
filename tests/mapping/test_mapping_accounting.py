"""Nothing vanishes: every row that stands in a file is mapped, excluded or held back, and counted."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

SPEC = """\
center: {id: XX01, name: Test, country: DE}
id_pattern: '[a-z]+'
missing: ['-']
sources:
  p:
    file: p.csv
    patient_id: ID
    exclude:
      - {reason: other_study, when: {column: Study, equals: X}}
      - {reason: legend, id_does_not_match: '^[a-zA-Z]'}
tables:
  - table: subject
    from: p
    where: {column: Event, equals: base}
    columns: {sex: Sex}
  - table: treatment_line
    from: p
    where: {column: Event, equals: line}
    repeat: {n: [1, 2]}
    columns: {line_number: {constant: '{n}'}, start_date: 'd{n}', drugs: 'r{n}'}
  - table: response
    from: p
    where: {column: Event, equals: line}
    repeat: {n: [1, 2]}
    progression_row: yes
    columns: {line_number: {constant: '{n}'}, kind: {constant: BEST}, category: 'b{n}'}
"""
HEADER = ["ID", "Study", "Event", "Sex", "d1", "r1", "b1", "d2", "r2", "b2"]
DRUGS = st.sampled_from(["", "Talvey", "Tecvayli -> Talvey", "none - hospice", "???", "-"])
BEST = st.sampled_from(["", "PR", "PR->PD", "gut", "-", " "])
DATE = st.sampled_from(["", "2023-01-01", "2023-13-01", "-"])
ROW = st.tuples(
    st.sampled_from(["a", "b", "c", "A", "(n=3)", "", " "]),
    st.sampled_from(["", "X", "MM"]),
    st.sampled_from(["base", "line", "other"]),
    st.sampled_from(["w", "m", "", "?"]),
    DATE, DRUGS, BEST, DATE, DRUGS, BEST,
)  # fmt: skip


def written(rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([tuple(HEADER), *rows])
    return out.getvalue()


def load_run() -> Callable:
    import importlib.util

    path = Path(__file__).with_name("conftest.py")
    spec = importlib.util.spec_from_file_location("mapping_tools", path)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["mapping_tools"] = module
    spec.loader.exec_module(module)
    return module.run


RUN = load_run()


@settings(max_examples=30, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=12), st.sampled_from([1, 3, 250_000]))
def test_rows_read_are_mapped_or_excluded_whatever_stands_in_them(
    rows: list[tuple[str, ...]], batch_rows: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in").mkdir()
        (Path(folder) / "in" / "p.csv").write_text(written(rows), encoding="utf-8")
        got = RUN(Path(folder), SPEC, batch_rows)
    assert got.balance() == []
    assert got.counted("read", "in") == len(rows)
    assert got.mapping.sources["n_rows"].to_list() == [len(rows)]
    base = [r for r in rows if r[2] == "base" and r[0].strip() and r[0] != "(n=3)" and r[1] != "X"]
    assert got.frames["subject"].height == len(base)
    for table, frame in got.frames.items():
        made = got.mapping.ledger.filter((pl.col("table") == table) & (pl.col("outcome") == "out"))
        assert int(made["n_rows"].sum()) == frame.height
        assert frame["row_id"].is_unique().all()
        assert (frame["row_id"] > 0).all()
        assert got.raws[table].height == frame.height


@settings(max_examples=15, deadline=None)
@given(st.lists(ROW, min_size=2, max_size=12))
def test_batches_of_any_size_give_the_same_rows_ids_and_issues(rows: list[tuple[str, ...]]) -> None:
    results = []
    for batch_rows in (2, 250_000):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "in").mkdir()
            (Path(folder) / "in" / "p.csv").write_text(written(rows), encoding="utf-8")
            results.append(RUN(Path(folder), SPEC, batch_rows))
    one, other = results
    for table in ("subject", "treatment_line", "response"):
        if table not in one.frames and table not in other.frames:
            continue
        first = one.frames[table].drop("map_id").sort("row_id")
        assert first.equals(other.frames[table].drop("map_id").sort("row_id"))
    assert one.found.height == other.found.height


def test_a_repeated_run_gives_the_same_ids_and_another_block_other_ones(deliver) -> None:
    spec = (
        "sources:\n  p: {file: p.csv, patient_id: ID}\n"
        "tables:\n  - {table: subject, from: p, columns: {sex: Sex}}\n"
        "  - {table: follow_up, from: p, columns: {vital_status: V}}\n"
    )
    text = "ID,Sex,V\na,w,dead\nb,m,alive\n"
    one, two = deliver(spec, p__csv=text), deliver(spec, p__csv=text)
    for table in ("subject", "follow_up"):
        assert one.frames[table].equals(two.frames[table])
    assert not set(one.frames["subject"]["row_id"]) & set(one.frames["follow_up"]["row_id"])
    changed = deliver(spec, p__csv=text + "c,w,alive\n")
    assert not set(one.frames["subject"]["row_id"]) & set(changed.frames["subject"]["row_id"])


def test_the_same_file_twice_in_a_delivery_keeps_ids_apart(deliver) -> None:
    text = "ID,Sex\na,w\n"
    got = deliver(
        "sources:\n  p: {file: 'p?.csv', patient_id: ID}\n"
        "tables:\n  - {table: subject, from: p, columns: {sex: Sex}}\n",
        p1__csv=text,
        p2__csv=text,
    )
    assert got.frames["subject"]["row_id"].n_unique() == 2


def test_rows_that_the_reader_rejects_are_counted_and_told(deliver) -> None:
    got = deliver(
        "sources:\n  p: {file: p.csv, patient_id: ID}\n"
        "tables:\n  - {table: subject, from: p, columns: {sex: Sex}}\n",
        p__csv="ID,Sex\na,w\nb,m,too,many\nc,w\n",
    )
    assert got.values("subject", "patient_id") == [("a",), ("c",)]
    assert got.counted("read", "in") == 3
    assert got.counted("read", "quarantined", "FIELD_COUNT") == 1
    assert got.mapping.issues.select("rule_id", "row").rows() == [("STR-11", 3)]
    assert got.balance() == []


def test_response_and_lab_come_in_batches_of_bounded_size_after_the_small_tables(deliver) -> None:
    rows = "".join(f"p{i % 7},{i % 3},2023-01-0{1 + i % 9},PR\n" for i in range(100))
    got = deliver(
        "sources:\n  v: {file: v.csv, patient_id: ID}\n  p: {file: p.csv, patient_id: ID}\n"
        "tables:\n  - {table: response, from: v, columns: {line_number: L, kind: {constant: ASSESSMENT},"
        " response_date: D, category: R}}\n  - {table: subject, from: p, columns: {sex: Sex}}\n",
        batch_rows=30,
        v__csv="ID,L,D,R\n" + rows,
        p__csv="ID,Sex\np1,w\n",
    )
    assert list(got.frames) == ["subject", "response"]
    assert max(got.heights["response"]) <= 30
    assert got.frames["response"].height == 100
    assert got.frames["response"]["source_row"].to_list() == list(range(2, 102))
