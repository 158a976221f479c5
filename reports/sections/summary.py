"""The numbers of the text as one table: rows by groups, all patients, P."""

from __future__ import annotations

from collections.abc import Iterator

from reports.sections.model import ALL, MISSING, Block, Line, Note, Rows, Table

MEANING = (
    "Medians: Kaplan-Meier. Rates: of the patients whose value is known, Clopper-Pearson intervals. P: log-rank test"
    " for medians of endpoints, Kruskal-Wallis test (Mann-Whitney for two groups) for numbers, chi-squared test for"
    " rates, all two-sided; these are not adjusted. The duration of response is compared among responders only: that is no"
    " comparison of groups as they were at the start of the clock."
)

MARKS = {
    "‡": "‡ Few events: read with caution.",
    "§": "§ Small group: descriptive only.",
}


def blocks(name: str, rows: Rows, sentences: dict[str, str]) -> tuple[Block, ...]:
    """Table and note."""
    groups = rows.labels(row="MIX")
    lines = list(_lines(rows, groups))
    table = Table("", (*groups.values(), "P"), tuple(lines))
    notes = [MEANING]
    if _has(lines, "†"):
        notes.append(sentences["sparse"])
    notes += [text for mark, text in MARKS.items() if _has(lines, mark)]
    if unknown := rows.one(row="no_group"):
        notes.append(f"{unknown['row_label']}: {unknown['text']}.")
    notes += _missing(rows)
    notes += [str(row["text"]) for row in rows.of(row="WARNING")]
    return (table, Note(" ".join([*notes, rows.note]).strip()))


def _has(lines: list[Line], mark: str) -> bool:
    return any(mark in cell for line in lines for cell in line.cells)


def _printed(rows: Rows) -> list[str]:
    found = [r["row"] for r in rows.rows if r["level"] is None and r["row"] != "no_group"]
    return list(dict.fromkeys(found))


def _lines(rows: Rows, groups: dict[str, str]) -> Iterator[Line]:
    """A line a row; the levels of one variable stand under its label."""
    head = ""
    for row in _printed(rows):
        mine = [r for r in rows.of(row=row, level=None) if r["statistic"] != "p"]
        cells = {r["population"]: str(r["text"]) for r in mine}
        texts = (*(cells.get(code, "") for code in groups), rows.text(row=row, statistic="p"))
        label, level = str(mine[0]["row_label"]), mine[0]["level_label"]
        if level and label != head:
            yield Line(label, ("",) * len(texts), is_head=True)
        head = label if level else ""
        yield Line(str(level or label), texts, is_head=row == "MIX", is_level=bool(level))


def _missing(rows: Rows) -> list[str]:
    """How many patients each row leaves out, where it leaves out any."""
    found = [r for r in rows.of(level=MISSING, population=ALL) if r["value"]]
    return [f"Not known: {r['row_label']}, {r['text']} patients." for r in found]
