"""The numbers of the text as one table: rows by groups, all patients, P."""

from __future__ import annotations

from reports.sections.model import ALL, MISSING, Block, Line, Note, Rows, Table

MEANING = (
    "Medians: Kaplan-Meier. Rates: of the patients whose value is known, Clopper-Pearson intervals. P: log-rank test"
    " for medians of endpoints, Kruskal-Wallis test (Mann-Whitney for two groups) for numbers, chi-squared test for"
    " rates, all two-sided and not adjusted. The duration of response is compared among responders only: that is no"
    " comparison of groups as they were at the first salvage."
)


def blocks(name: str, rows: Rows, sentences: dict[str, str]) -> tuple[Block, ...]:
    """Table and note."""
    groups = rows.labels(row="MIX")
    lines = [_line(rows, row, groups) for row in _printed(rows)]
    table = Table("", (*groups.values(), "P"), tuple(lines))
    notes = [MEANING]
    if any("†" in cell for line in lines for cell in line.cells):
        notes.append(sentences["sparse"])
    if unknown := rows.one(row="no_group"):
        notes.append(f"{unknown['row_label']}: {unknown['text']}.")
    notes += _missing(rows)
    return (table, Note(" ".join([*notes, rows.note]).strip()))


def _printed(rows: Rows) -> list[str]:
    found = [r["row"] for r in rows.rows if r["level"] is None and r["row"] != "no_group"]
    return list(dict.fromkeys(found))


def _line(rows: Rows, row: str, groups: dict[str, str]) -> Line:
    mine = [r for r in rows.of(row=row, level=None) if r["statistic"] != "p"]
    cells = {r["population"]: str(r["text"]) for r in mine}
    p = rows.text(row=row, statistic="p")
    return Line(
        str(mine[0]["row_label"]),
        (*(cells.get(code, "") for code in groups), p),
        is_head=row == "MIX",
    )


def _missing(rows: Rows) -> list[str]:
    """How many patients each row leaves out, where it leaves out any."""
    found = [r for r in rows.of(level=MISSING, population=ALL) if r["value"]]
    return [f"Not known: {r['row_label']}, {r['text']} patients." for r in found]
