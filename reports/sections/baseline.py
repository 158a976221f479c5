"""A table of characteristics by group."""

from __future__ import annotations

from collections.abc import Iterator

from reports.sections.model import (
    MISSING,
    Block,
    Line,
    Note,
    Rows,
    Table,
    column_notes,
    holds,
    marked,
)  # fmt: skip

SENTENCES = ("missing", "refractory", "emd")
SPARSE = "†"


def blocks(name: str, rows: Rows, sentences: dict[str, str]) -> tuple[Block, ...]:
    """The table and what its signs mean."""
    table = characteristics(rows)
    told = [sentences[key] for key in SENTENCES if key in sentences]
    if holds([table], SPARSE):
        told.append(sentences.get("sparse", ""))
    told += column_notes(rows)
    return (table, Note(" ".join(["n (%) or median (range).", *told, rows.note]).strip()))


def characteristics(rows: Rows) -> Table:
    """As printed: a column a group, all patients, and P."""
    populations = rows.labels(row="N")
    heads = tuple(
        f"{marked(rows, code, label)} (n\u00a0=\u00a0{rows.text(row='N', population=code)})"
        for code, label in populations.items()
    )
    lines: list[Line] = []
    for name in dict.fromkeys(
        row["row"] for row in rows.rows if row["row"] not in ("N", "WARNING")
    ):
        lines += _variable(rows, name, tuple(populations))
    return Table("", (*heads, "P"), tuple(lines))


def _variable(rows: Rows, name: str, populations: tuple[str, ...]) -> Iterator[Line]:
    first = rows.of(row=name)[0]
    p = rows.text(row=name, statistic="p")
    if median := rows.of(row=name, statistic="median"):
        medians = {row["population"]: str(row["text"]) for row in median}
        yield Line(str(first["row_label"]), (*(medians[c] for c in populations), p), is_head=True)
    else:
        counted = rows.of(row=name, statistic="n")
        levels = [
            level for level in dict.fromkeys(row["level"] for row in counted) if level != MISSING
        ]
        labels = [str(row["level_label"]) for row in counted if row["level"] in levels]
        if set(levels) == {"Y", "N"} and {"Yes", "No"} >= set(labels):
            yield Line(
                str(first["row_label"]), (*_cells(rows, name, "Y", populations), p), is_head=True
            )
        else:
            yield Line(str(first["row_label"]), ("",) * len(populations) + (p,), is_head=True)
            for level in levels:
                label = str(rows.of(row=name, level=level)[0]["level_label"])
                cells = _cells(rows, name, level, populations)
                yield Line(label, (*cells, ""), is_level=True)
    missing = rows.of(row=name, level=MISSING)
    if any(row["value"] for row in missing):
        yield Line("Missing", (*_cells(rows, name, MISSING, populations), ""), is_level=True)


def _cells(rows: Rows, name: str, level: str, populations: tuple[str, ...]) -> Iterator[str]:
    for code in populations:
        yield rows.text(row=name, level=level, statistic="n", population=code)
