"""JSON lines: one object a line; nested values stay JSON text."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from transforms.read.cells import as_cells, check_rejects, rejects_frame, split_bad_characters
from transforms.read.csv_blocks import BlockReader
from transforms.read.csv_reader import no_rows
from transforms.read.encodings import find_encoding
from transforms.read.headers import checked_names
from transforms.read.source import Source
from transforms.read.tables import ColumnInfo, FrameReader, ReadOptions, TableInfo, TableReader
from transforms.read.worker.values import float_text


def is_json_lines(head: bytes) -> bool:
    """Whether the first text is an object."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


_BLOCK = 4_000_000  # objects in Python are many times the bytes of their text
_AREA = 20_000_000  # cells of a table of which nearly all may be empty


class _RepeatedError(ValueError):
    """An object names a key twice."""


def open_json_lines(source: Source, options: ReadOptions) -> list[TableReader]:
    """One reader; columns are the keys of all lines in the order in which they first stand.

    Raises:
        FileError: ENCODING, TRUNCATED, NO_ROWS, TOO_MANY_COLUMNS.
    """
    encoding, mark = find_encoding(source, source.head(), options.encoding)
    frames: list[pl.DataFrame] = []
    rejects: list[tuple[int, str, str]] = []
    columns: dict[str, None] = {}
    line = blank = height = cells = 0
    with source.open() as stream:
        stream.read(mark)
        blocks = BlockReader(
            source, stream, encoding, b"\n", min(_BLOCK, options.limits.block_bytes)
        )
        while (block := blocks.next()) or not blocks.at_end:
            rows: list[dict[str, str | None]] = []
            numbers: list[int] = []
            filled = 0
            blocks.line = line + 1
            texts = block.decode("utf-8").split("\n")[:-1]
            for at, text in enumerate(texts, 1):
                line += 1
                if not text.strip():
                    blank += 1
                    continue
                try:
                    row = _cells(text)
                except ValueError as error:
                    if blocks.unterminated and blocks.at_end and at == len(texts):
                        raise _truncated(source, line) from None
                    rejects.append((line, "QUOTING", _problem(error)))
                    check_rejects(source, rejects, options.limits.rejects)
                    continue
                columns.update(dict.fromkeys(row))
                filled += len(row)
                if len(columns) > options.limits.columns:
                    break
                rows.append(row)
                numbers.append(line)
            checked_names(source, list(columns), options.limits.columns)
            height += len(rows)
            cells += filled
            if height * len(columns) > max(_AREA, 10 * cells):
                raise source.error(
                    "TOO_LARGE",
                    f"{cells:,} values are spread over {height:,} rows of {len(columns):,} columns",
                    "give every object the same keys, and export only what the study needs",
                )
            if rows:
                frames.append(_frame(numbers, rows, list(columns)))
    names = checked_names(source, list(columns), options.limits.columns)
    if not frames:
        raise no_rows(source)
    frame = pl.concat(frames, how="diagonal").select("_row", *columns)
    frame.columns = ["_row", *names]
    body, empty = as_cells(frame, empty_text=True)
    body, bad = split_bad_characters(body)
    info = TableInfo(
        file=source.name,
        sheet=None,
        kind="jsonl",
        encoding=encoding,
        delimiter=None,
        decimal=".",
        date_system=None,
        sha256=options.sha256 or source.sha256(),
        columns=tuple(ColumnInfo(name, at) for at, name in enumerate(names, 1)),
    )
    rejected = rejects_frame([*rejects, *bad])
    return [FrameReader(info, [body], rejected, blank + empty, options.batch_rows)]


def _cells(text: str) -> dict[str, str | None]:
    try:
        content = json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("is nested too deep") from None
    if not isinstance(content, dict):
        raise ValueError("is not an object")
    cells = {key: _text(value) for key, value in content.items()}
    if "\\u" in text:
        "".join([*cells, *(cell or "" for cell in cells.values())]).encode()
    return cells


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise _RepeatedError
    return content


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _problem(error: ValueError) -> str:
    if isinstance(error, _RepeatedError):
        return "names a key twice"
    if isinstance(error, UnicodeEncodeError):
        return "holds half a character (\\u escape)"
    return "is not a JSON object"


def _truncated(source: Source, line: int) -> Exception:
    return source.error(
        "TRUNCATED",
        f"ends inside line {line}",
        "ask the center to send the file again: the upload broke off",
        row=line,
    )


def _frame(
    numbers: list[int], rows: list[dict[str, str | None]], columns: list[str]
) -> pl.DataFrame:
    cells = [pl.Series(name, [row.get(name) for row in rows], dtype=pl.String) for name in columns]
    return pl.DataFrame(cells).insert_column(0, pl.Series("_row", numbers, dtype=pl.Int32))
