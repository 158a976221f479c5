"""How a CSV file is written: line ending, delimiter, quote, decimal mark and header, from its head."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from transforms.read.csv_layout import OPEN, split_record
from transforms.read.headers import join_header_rows
from transforms.read.source import Source
from transforms.read.tables import ReadOptions

DELIMITERS = (";", ",", "\t", "|")
NO_QUOTE = "\x01"  # stands for "no quoting"; a line that holds it is rejected anyhow
_COMMA = re.compile(r"[<>=~ ]*-?\d+,(\d{1,2}|\d{4,})")
_POINT = re.compile(r"[<>=~ ]*-?\d+\.(\d{1,2}|\d{4,})")
_SEPARATOR_HINT = re.compile(r'"?sep=(.|\\t)"?', re.IGNORECASE)  # Excel's own first line
_SAMPLE_RECORDS = 200


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the head of the file says. `data_line` is the physical line on which the data begin."""

    terminator: str
    delimiter: str
    quote: str
    decimal: str | None
    header: tuple[str, ...]
    header_lines: tuple[int, ...]
    data_line: int
    notes: tuple[str, ...]


def find_dialect(source: Source, text: str, options: ReadOptions, *, whole: bool) -> Dialect:
    """Dialect of a CSV file.

    Args:
        source: The file, for messages.
        text: Its head, decoded, without byte-order mark.
        options: What the spec declares; the rest is detected.
        whole: The head is the whole file.

    Raises:
        FileError: NO_ROWS for an empty file; QUOTING, WRONG_TYPE for a header that cannot be read.
    """
    if not text.strip("\r\n\t ;,|"):
        raise source.error("NO_ROWS", "is empty", "export again; nothing was loaded")
    quote = _quote(source, text, options.quote)
    terminator = _terminator(text, quote)
    separator = "\r" if terminator == "\r" else "\n"
    lines = text.split(separator)
    if not whole:
        lines.pop()  # may be cut
    if terminator == "\r\n":
        lines = [line.removesuffix("\r") for line in lines]
    if not lines:
        raise source.error(
            "TOO_LARGE", "its first line is longer than any header", "check how it was exported"
        )
    hint = _SEPARATOR_HINT.fullmatch(lines[0])
    start = 1 if hint else 0
    first = options.header_rows or (
        next((n for n, line in enumerate(lines[start:], start + 1) if line.strip(" \t")), 1),
    )
    if first[-1] > len(lines):
        raise source.error(
            "NO_ROWS",
            f"header row {first[-1]} is declared, but the file has {len(lines)} lines",
            "correct 'header_rows' in the center's spec",
        )
    told = hint.group(1).replace("\\t", "\t") if hint else None
    delimiter = options.delimiter or told or _delimiter(lines[first[-1] - 1 :], quote)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in (quote, "\r", "\n"):
        raise source.error(
            "WRONG_TYPE", f"'{delimiter}' cannot be a delimiter", "declare one character"
        )
    rows, data_line = [], first[-1]
    for line in first:
        cells, after = _record(source, lines, line, delimiter, quote, separator)
        rows.append(cells)
        data_line = max(data_line, after)
    sample = _sample(lines[data_line - 1 :], delimiter, quote)
    header = tuple(join_header_rows(rows, fill=True))
    notes = _header_note(header, sample, first)
    return Dialect(
        terminator, delimiter, quote, _decimal(sample), header, tuple(first), data_line, notes
    )


def _quote(source: Source, text: str, declared: str | None) -> str:
    if declared is None:
        first = text.split("\n", 1)[0].strip()
        cells = re.split(r"[;,\t|]", first)
        single = len(cells) > 1 and all(len(c) > 1 and c[0] == c[-1] == "'" for c in cells)
        return "'" if single else '"'
    if declared == "":
        return NO_QUOTE
    if len(declared) != 1 or not declared.isascii():
        raise source.error("QUOTING", f"'{declared}' cannot be a quote", "declare one character")
    return declared


def _terminator(text: str, quote: str) -> str:
    """The line ending of the first line that ends outside quotes."""
    mark = re.escape(quote)
    bare = re.sub(f"{mark}[^{mark}]*{mark}", "", text)
    found = re.search("\r\n|\r|\n", bare) or re.search("\r\n|\r|\n", text)
    return found.group() if found else "\n"


def _record(
    source: Source, lines: list[str], line: int, delimiter: str, quote: str, separator: str
) -> tuple[list[str], int]:
    """Fields of the header record that begins on a physical line, and the line after it."""
    text = lines[line - 1]
    end = line
    while (cells := split_record(text, delimiter, quote)) == OPEN and end < len(lines):
        text += separator + lines[end]
        end += 1
    if isinstance(cells, str):
        raise source.error(
            "QUOTING",
            f"the quotes of the header (row {line}) are not closed",
            "ask the center to export again, or correct 'quote' and 'header_rows' in its spec",
            row=line,
        )
    return cells, end + 1


def _delimiter(lines: list[str], quote: str) -> str:
    """The mark that gives the header and most lines below it the same number of fields, above one."""
    best, best_score = ";", (0.0, 0)
    sample = [line for line in lines[:_SAMPLE_RECORDS] if line.strip(" \t")]
    for mark in DELIMITERS:
        if mark not in sample[0]:
            continue
        widths = [
            len(cells) if isinstance(cells := split_record(line, mark, quote), list) else 0
            for line in sample
        ]
        width = widths[0] or sample[0].count(mark) + 1  # a header may go on in the next line
        known = [found for found in widths if found]
        share = sum(found == width for found in known) / max(len(known), 1)
        # A header that fits few rows is still better than a mark that does not stand in it at all.
        score = (round(share, 2) if share >= 0.5 else 0.0, width)
        if width > 1 and score > best_score:
            best, best_score = mark, score
    return best


def _sample(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    split = (split_record(line, delimiter, quote) for line in lines[:_SAMPLE_RECORDS])
    return [cells for cells in split if isinstance(cells, list)]


def _decimal(sample: list[list[str]]) -> str | None:
    """The decimal mark that more cells show; None where no cell shows one. Never applied here."""
    cells = [cell for row in sample for cell in row]
    commas = sum(bool(_COMMA.fullmatch(cell)) for cell in cells if "," in cell)
    points = sum(bool(_POINT.fullmatch(cell)) for cell in cells if "." in cell)
    if commas == points:
        return None
    return "," if commas > points else "."


def _header_note(
    header: tuple[str, ...], sample: list[list[str]], rows: tuple[int, ...]
) -> tuple[str, ...]:
    widths = Counter(len(row) for row in sample if any(row))
    if not widths:
        return ()
    width, count = widths.most_common(1)[0]
    if width == len(header) or count < 2:
        return ()
    return (
        f"header row {rows[-1]} has {len(header)} fields, most rows below have {width}: "
        "the header may stand lower ('header_rows' in the spec)",
    )
