"""The model and the medians under other dates, patients and settings, below one another."""

from __future__ import annotations

from collections.abc import Iterator

from reports.sections.model import ALL, Block, Bullets, Line, Note, Rows, Subheading, Table, holds
from reports.sections.model_parts import (
    RATIO,
    about_sensitivity,
    models,
    variables,
)
from reports.sections.summary import MARKS

FITTING = 5  # hazard ratios with intervals beside each other


def sensitivity(rows: Rows, codes: list[str]) -> Iterator[Block]:
    """Medians, hazard ratios and what must be said of them; `codes` begins with the primary model."""
    medians = rows.of(row="MEDIAN")
    if not medians:
        return
    labels = {**models(rows), **rows.labels(row="MEDIAN")}
    names = dict.fromkeys((row["level"], row["row_label"]) for row in medians)
    yield Subheading("Sensitivity")
    lines = tuple(
        Line(
            labels[code],
            (rows.text(population=code, row="N"),
             *(rows.text(population=code, row="MEDIAN", level=level) for level, _ in names)),
        )
        for code in codes
    )  # fmt: skip
    heads = tuple(f"{label}, months (95% CI)" for _, label in names)
    yield Table("Medians", ("Patients", *heads), lines)
    yield from _medians_by_group(rows, codes, labels)
    yield from _ratios_again(rows, codes, labels)
    about = about_sensitivity(rows)
    told = [
        str(row["text"])
        for row in rows.of(population=ALL, row="WARNING")
        if row["level"] in about
    ]  # fmt: skip
    shared: dict[str, list[str]] = {}
    for code in codes[1:]:
        for row in rows.of(population=code, row="WARNING"):
            shared.setdefault(str(row["text"]), []).append(labels[code])
    every = len(codes) - 1
    told += [
        f"{'In every variant' if len(of) == every > 1 else '; '.join(of)}: {text}"
        for text, of in shared.items()
    ]
    yield Bullets(tuple(told))


def _medians_by_group(rows: Rows, codes: list[str], labels: dict[str, str]) -> Iterator[Block]:
    """A table an endpoint, a column a group."""
    found = rows.of(row="MEDIAN_GROUP")
    for endpoint, label in dict.fromkeys((row["endpoint"], row["row_label"]) for row in found):
        heads = {r["level"]: str(r["level_label"]) for r in found if r["endpoint"] == endpoint}
        lines = tuple(
            Line(
                labels[code],
                tuple(
                    rows.text(population=code, row="MEDIAN_GROUP", level=level) for level in heads
                ),
            )
            for code in codes
        )
        table = Table(f"{label}, months (95% CI)", tuple(heads.values()), lines)
        yield table
        if told := [text for mark, text in MARKS.items() if holds([table], mark)]:
            yield Note(" ".join(told))


def _ratios_again(rows: Rows, codes: list[str], labels: dict[str, str]) -> Iterator[Table]:
    """The hazard ratios of all variants, in tables that fit a page."""
    columns = [
        (name, row["level"], f"{row['row_label'].split('; cut')[0]}: {row['level_label']}")
        for name, levels in variables(rows, codes).items()
        for row in levels
        if row["text"] != "reference"
    ]
    for chosen in (columns[k : k + FITTING] for k in range(0, len(columns), FITTING)):
        lines = tuple(
            Line(
                labels[code],
                tuple(
                    _short(rows.text(population=code, row=name, level=level, statistic="hr"))
                    for name, level, _ in chosen
                ),
            )
            for code in codes
        )
        yield Table(RATIO, tuple(label for _, _, label in chosen), lines)


def _short(text: str) -> str:
    """A cell of a wide table: why a ratio is not estimable stands below; a dash if it is not in the model."""
    return text.split(":")[0] if text else "–"
