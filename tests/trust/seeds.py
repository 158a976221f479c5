"""A real file of every kind that is read, and ways to damage it."""

from __future__ import annotations

import datetime as dt
import io
import json
import random
import zipfile
from pathlib import Path

import polars as pl
import pyreadstat
import xlsxwriter

ROWS = [
    ("P001", "f", "2023-03-01", 61.0, "Müller, ß"),
    ("P002", "m", "2021-11-30", 5.25, ""),
    ("P003", "f", "2019-02-28", -0.5, 'said "no"'),
] * 4
NAMES = ("id", "sex", "day", "value", "comment")
FRAME = pl.DataFrame(ROWS, schema=list(NAMES), orient="row")
XLS = Path(__file__).parents[1] / "read" / "files" / "excel97.xls"

ODS = """<?xml version="1.0" encoding="UTF-8"?><office:document-content
xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
<table:table table:name="p">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"""


def make_seeds(folder: Path) -> dict[str, bytes]:
    """Suffix → bytes of a good file of that kind."""
    pyreadstat.write_sav(
        FRAME, folder / "s.sav", variable_value_labels={"value": {61.0: "sixty"}},
        missing_ranges={"value": [99.0, {"lo": 900.0, "hi": 999.0}]},
    )  # fmt: skip
    pyreadstat.write_sav(FRAME, folder / "s.zsav", compress=True)
    pyreadstat.write_xport(FRAME, folder / "s.xpt")
    pyreadstat.write_dta(FRAME, folder / "s.dta", variable_value_labels={"value": {61: "sixty"}})
    FRAME.write_parquet(folder / "s.parquet")
    _xlsx(folder / "s.xlsx")
    lines = [json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=False) for row in ROWS]
    (folder / "s.jsonl").write_text(
        "\n".join([*lines, '{"id": "P9", "value": {"a": [1, 2.5]}}', ""])
    )
    FRAME.write_csv(folder / "s.csv", separator=";")
    row = "".join(
        f"<table:table-cell office:value-type='string'><text:p>{word}</text:p></table:table-cell>"
        for word in ("id", "sex", "day")
    )
    with zipfile.ZipFile(folder / "s.ods", "w", zipfile.ZIP_DEFLATED) as ods:
        ods.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        ods.writestr(
            "content.xml", ODS.format(rows=f"<table:table-row>{row}</table:table-row>" * 3)
        )
    (folder / "s.xls").write_bytes(XLS.read_bytes())
    with zipfile.ZipFile(folder / "s.zip", "w", zipfile.ZIP_DEFLATED) as outer:
        for inner in ("s.csv", "s.xlsx", "s.sav"):
            outer.write(folder / inner, inner)
    return {path.suffix: path.read_bytes() for path in sorted(folder.iterdir())}


def _xlsx(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("patients")
        sheet.write_row(0, 0, NAMES)
        for at, row in enumerate(ROWS, 1):
            sheet.write_row(at, 0, row)
        sheet.write_datetime(13, 2, dt.datetime(2023, 3, 1), book.add_format({"num_format": 14}))
        sheet.write_formula(13, 3, "=1+1", None, 2)
        sheet.merge_range(15, 0, 15, 3, "merged")
        other = book.add_worksheet("more")
        other.write_row(0, 0, ["a", "b"])
        other.write_row(1, 0, [True, "x"])


EXTREMES = (
    b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x00",
    b"\x80\x00\x00\x00", b"\x00\x00\x00\x80", b"\x00\x00\x01\x00", b"\xff\xff", b"\xff" * 8,
    b"\x00\x00\x00\x40", b"\x40\x00\x00\x00",
)  # fmt: skip
MARKS = (b'"', b";", b"\n", b"\r", b"\0", b"<", b"&", b"'", b"]]>", b"\xe2\x80\xae", b"\xed\xa0\x80",
         b"9" * 40, b"1e999", b"-", b"{", b"[" * 3000, b"\\ud800", b"<row>", b"XFD1048576")  # fmt: skip


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The bytes after one to eight random injuries."""
    content = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(max(len(content), 1))
        match chance.randrange(9):
            case 0 | 1 | 2:
                content[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                value = chance.choice(EXTREMES)
                content[at : at + len(value)] = value
            case 4:
                content[at:at] = chance.choice(MARKS)
            case 5:
                content[at : at + chance.choice((1, 2, 4, 80, 4096))] = b""
            case 6:
                end = at + chance.choice((4, 64, 512))
                content[at:at] = content[at:end] * chance.randint(1, 4)
            case 7:
                other = chance.randrange(max(len(content), 1))
                content[at : at + 16] = content[other : other + 16]
            case 8:
                if chance.random() < 0.2:
                    del content[at:]
    return bytes(content)


def damaged_inside(data: bytes, chance: random.Random) -> bytes:
    """A zip container whose checksums are right and one of whose members is damaged."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        names = old.namelist()
        hurt = chance.choice(names)
        for name in names:
            content = old.read(name)
            new.writestr(name, damaged(content, chance) if name == hurt else content)
    return out.getvalue()


def mutant(suffix: str, seeds: dict[str, bytes], chance: random.Random) -> bytes:
    """A damaged file, or (seldom) random bytes behind the real beginning."""
    data = seeds[suffix]
    if chance.random() < 0.05:
        return data[: chance.choice((0, 8, 64, 512))] + chance.randbytes(chance.randrange(4000))
    if data.startswith(b"PK") and chance.random() < 0.7:
        return damaged_inside(data, chance)
    return damaged(data, chance)
