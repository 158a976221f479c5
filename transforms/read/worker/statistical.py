"""SPSS, SAS and Stata files as exact text with their labels, by pyreadstat."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from transforms.read.worker import values
from transforms.read.worker.problems import BATCH_ROWS, RefusedError, Send

_READERS = {"sav": "read_sav", "xpt": "read_xport", "sas7bdat": "read_sas7bdat", "dta": "read_dta"}
# Formats that show a month only: the day in the file was added by the program.
_MONTH_FORMATS = ("MOYR", "MONYY", "MMYY", "YYMM")
_WIDE = 1_000  # a range of at most so many whole codes is listed code by code


def read(path: str, kind: str, limits: dict[str, int], send: Send, encoding: str | None) -> None:
    """Sends the columns' labels, then all rows in batches.

    Raises:
        RefusedError: CORRUPT, ENCODING, TRUNCATED, TOO_MANY_COLUMNS or TOO_LARGE.
    """
    data, meta = _load(path, kind, encoding)
    names = list(meta.column_names)
    if len(names) > limits["columns"]:
        raise RefusedError(
            "TOO_MANY_COLUMNS",
            f"{len(names)} columns, at most {limits['columns']} are read",
            "export only the columns that the study needs",
        )
    height = max((len(data[name]) for name in names), default=0)
    if meta.number_rows is not None and meta.number_rows != height:
        raise RefusedError(
            "TRUNCATED",
            f"says that it has {meta.number_rows} rows, but holds {height}",
            "ask the center to send the file again: the upload broke off",
        )
    if height * len(names) > limits["cells"]:
        raise RefusedError("TOO_LARGE", f"more than {limits['cells']:,} cells", "send it as CSV")
    send(
        {
            "table": meta.table_name,
            "encoding": meta.file_encoding,
            "columns": [_column(meta, name) for name in names],
        }
    )
    formats = meta.original_variable_types
    columns = {name: _texts(data[name], str(formats.get(name) or "")) for name in names}
    for start in range(0, height, BATCH_ROWS):
        stop = min(start + BATCH_ROWS, height)
        send(
            {
                "rows": list(range(start + 1, stop + 1)),
                "columns": [columns[name][start:stop] for name in names],
            }
        )


def _load(path: str, kind: str, encoding: str | None) -> tuple[dict[str, list[Any]], Any]:
    import pyreadstat

    options: dict[str, Any] = {"output_format": "dict"}
    if kind != "xpt":
        options["user_missing"] = True
    if encoding is not None:
        options["encoding"] = encoding
    try:
        data, meta = getattr(pyreadstat, _READERS[kind])(path, **options)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
        if "encoding" in str(error).lower() or "convert string" in str(error).lower():
            raise RefusedError(
                "ENCODING",
                "holds text in another encoding than it says",
                "find out how the center exports, and set 'encoding' in its spec",
            ) from None
        raise RefusedError(
            "CORRUPT", "is damaged or not of this kind", "ask the center to export it again"
        ) from None
    return data, meta


def _column(meta: Any, name: str) -> dict[str, Any]:
    labels = meta.variable_value_labels.get(name, {})
    missing: list[str] = []
    for span in meta.missing_ranges.get(name, []):
        missing += _codes(span["lo"], span["hi"])
    missing += [_text(code) or "" for code in meta.missing_user_values.get(name, [])]
    return {
        "name": name,
        "label": meta.column_names_to_labels.get(name) or None,
        "labels": {_text(code) or "": str(label) for code, label in labels.items()},
        "missing": missing,
    }


def _codes(low: Any, high: Any) -> list[str]:
    """A declared missing range: its codes, or `low..high` where they cannot be listed."""
    if low == high:
        return [_text(low) or ""]
    ends = [end for end in (low, high) if isinstance(end, float) and end.is_integer()]
    if len(ends) == 2 and high - low <= _WIDE:
        return [str(code) for code in range(int(low), int(high) + 1)]
    return [f"{_bound(low)}..{_bound(high)}"]


def _bound(value: Any) -> str:
    # SPSS writes LO and HI as the largest doubles.
    if isinstance(value, float) and not abs(value) < 1e300:
        return ""
    return _text(value) or ""


def _texts(column: list[Any], shown: str) -> list[str | None]:
    convert = _converter(shown)
    known: dict[Any, str | None] = {}
    result = []
    for value in column:
        key = (type(value), value)
        if key not in known:
            if len(known) > 100_000:
                known.clear()
            known[key] = convert(value)
        result.append(known[key])
    return result


def _converter(shown: str) -> Any:
    name = shown.upper().lstrip("%")
    if name.startswith(_MONTH_FORMATS) and not name.startswith(("YYMMDD", "MMYYDD")):
        return _month_text
    if shown.startswith("%tm"):
        return _stata_month
    return _text


def _text(value: Any) -> str | None:
    """One cell: numbers in the shortest text, dates in ISO, empty text and NaN as null."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return None if math.isnan(value) else values.float_text(value)
    if isinstance(value, dt.datetime):
        text = value.isoformat()
        return text.removesuffix("T00:00:00")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return values.time_text(round(value.total_seconds() * 1000))
    return str(value)


def _month_text(value: Any) -> str | None:
    """A date that shows only its month; SPSS gives seconds since 1582-10-14 where not converted."""
    if isinstance(value, float) and not math.isnan(value) and value > 1e9:
        value = dt.datetime(1582, 10, 14) + dt.timedelta(seconds=value)
    text = _text(value)
    if isinstance(value, dt.date) and value.day == 1 and text is not None and len(text) == 10:
        return text[:7]
    return text


def _stata_month(value: Any) -> str | None:
    """Months since January 1960."""
    if isinstance(value, (int, float)) and not math.isnan(value) and float(value).is_integer():
        year, month = divmod(int(value), 12)
        return f"{1960 + year:04d}-{month + 1:02d}"
    return _text(value)
