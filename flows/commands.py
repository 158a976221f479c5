"""The commands that are no run: init, demo, sql, check."""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.folder import StudyFolder, make_private
from flows.scratch import own_scratch
from schemas.errors import StudyError

_STUDY = """\
# The study: what it is called, when the data were cut, and what was decided.
# docs/running.md explains the folder, docs/center-specs.md every key.
id: MYSTUDY
title: A multi-center study
data_cut: {today}
"""
_FOLDERS = ("centers", "inbox", "answers", "published")


def init(arguments: argparse.Namespace) -> int:
    """Makes an empty study folder."""
    import datetime as dt

    root = Path(arguments.study)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise StudyError(
            f"'{root}' exists and is not empty.", fix="give the name of a new or empty folder"
        )
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    folder = StudyFolder(root.resolve())
    make_private(folder.vault)
    folder.settings.write_text(_STUDY.format(today=dt.date.today().isoformat()), encoding="utf-8")
    _answer(
        arguments,
        {"study": str(folder.root)},
        f"empty study in {folder.root}\n"
        "next: set id, title and data_cut in study.yaml, write a spec for each center into "
        "centers/, and put the first delivery into inbox/<center>/<YYYY-MM-DD>/",
    )
    return 0


def demo(arguments: argparse.Namespace) -> int:
    """Writes the synthetic study."""
    from demo import write_demo_study

    root = Path(arguments.study)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise StudyError(
            f"'{root}' exists and is not empty.", fix="give the name of a new or empty folder"
        )
    write_demo_study(root, patients=arguments.patients, seed=arguments.seed)
    _answer(
        arguments,
        {"study": str(root.resolve()), "patients": arguments.patients, "seed": arguments.seed},
        f"synthetic study of {arguments.patients} patients in {root}; no real person is in it\n"
        f"next: carmony run {root}",
    )
    return 0


def _answer(arguments: argparse.Namespace, content: dict[str, Any], text: str) -> None:
    print(json.dumps(content) if arguments.json else text)


def sql(arguments: argparse.Namespace) -> int:
    """Answers one reading statement from the published warehouse."""
    from flows import results

    root = Path(arguments.study)
    if not root.exists():
        raise StudyError(f"'{root}' does not exist.", fix="give the folder of a study")
    names, rows = results.query(root, arguments.statement, arguments.as_of)
    style = "json" if arguments.json else arguments.format
    if style == "json":
        keys = _distinct(names)
        records = [dict(zip(keys, map(_json_value, row), strict=True)) for row in rows]
        print(json.dumps(records, ensure_ascii=False, allow_nan=False))
    elif style == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    else:
        print(plain_table(names, rows))
    return 0


def _distinct(names: Sequence[str]) -> list[str]:
    """Names of which none hides another in an object: the second `n` becomes `n_2`."""
    found: list[str] = []
    for name in names:
        key, number = name, 1
        while key in found:
            number += 1
            key = f"{name}_{number}"
        found.append(key)
    return found


def _json_value(value: Any) -> Any:
    """A value as JSON has it, inside lists and structs too; NaN and infinity become null."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(item) for item in value]
    if _is_number(value):
        number = float(value)
        return number if math.isfinite(number) else None
    return str(value)


def plain_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows as aligned text; numbers to the right, nulls empty."""
    texts = [["" if value is None else _one_line(value) for value in row] for row in rows]
    widths = [max([len(name), *(len(text[i]) for text in texts)]) for i, name in enumerate(names)]
    right = [
        bool(rows) and all(row[i] is None or _is_number(row[i]) for row in rows)
        for i in range(len(names))
    ]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        ]
        return "  ".join(padded).rstrip()

    count = f"({len(rows)} row{'' if len(rows) == 1 else 's'})"
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(names), rule, *(line(text) for text in texts), count])


def _one_line(value: Any) -> str:
    text = str(value)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _is_number(value: Any) -> bool:
    from decimal import Decimal

    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def check(arguments: argparse.Namespace) -> int:
    """Checks a file as a run would, and stores nothing. 1 if errors were found."""
    import datetime as dt

    from flows.check_file import check_file

    source = Path(arguments.file)
    if not source.exists():
        raise StudyError(f"'{source}' does not exist.", fix="give the file that would be sent")
    spec = Path(arguments.spec)
    if not spec.is_file():
        raise StudyError(
            f"The spec '{spec}' is not there, or is no file.",
            fix="give the spec of the center, as centers/DE01.yaml of the study",
        )
    with own_scratch("check") as scratch:  # mode 0700
        received_on = dt.date.fromisoformat(arguments.received) if arguments.received else None
        result = check_file(source, spec, scratch, received_on)
    if arguments.json:
        print(json.dumps(result))
    else:
        print(_findings_text(result))
    return 1 if result["errors"] else 0


def _findings_text(result: dict[str, Any]) -> str:
    lines = [f"checked as received on {result['received_on']}, export of {result['export_date']}"]
    for finding in result["findings"]:
        lines.append(f"{finding['severity']} {finding['rule_id']}: {finding['message']}")
        for field in finding["fields"]:
            parts = [("file", "file"), ("sheet", "sheet"), ("row", "row"), ("column", "column")]
            place = ", ".join(f"{k} {field[v]}" for k, v in parts if field[v] is not None)
            lines.append(f"    {place}")
    lines.append(
        f"{result['rows_read']:,} rows read, {result['rows_quarantined']:,} would be held back; "
        f"{result['errors']} errors, {result['warnings']} warnings. Nothing was stored."
    )
    return "\n".join(lines)
