"""An ADaM table from a file: CSV, Parquet or SAS transport (XPT)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from schemas.errors import FileError

# Text although they may look like numbers: 007 is not 7.
TEXT = frozenset(
    {"STUDYID", "USUBJID", "SUBJID", "SITEID", "PARAMCD", "PARAM", "AVALU", "ANALYSIS"}
)
DAYS = ("STARTDT", "ADT")
CANONICAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$"
NO_NUMBER = r"^(?i)(nan|[-+]?inf(inity)?)$"
KINDS = "CSV (.csv), Parquet (.parquet) or SAS transport (.xpt)"


def read_table(path: Path) -> pl.DataFrame:
    """The rows of a file, with names of columns in capitals.

    Blank text is null. A column of a CSV file is a number where every value is one without leading
    zeros; NaN is null, infinity no number that can be used; whole numbers of a transport file, which knows no others than doubles, are whole again, so
    that a code 1 is `1`. STARTDT and ADT are dates.

    Raises:
        FileError: No such file, another kind of file, a file that cannot be read, two columns of one name,
            or an infinite number.
    """
    if not path.is_file():
        raise FileError("CORRUPT", path, "there is no such file", fix="give the path of a file")
    kind = path.suffix.lower()
    if kind not in READERS:
        raise FileError(
            "WRONG_TYPE", path, f"'{kind}' files are not read here", fix=f"give {KINDS}"
        )
    try:
        frame = READERS[kind](path)
    except Exception as error:  # each reader has its own kinds of errors
        raise FileError(
            "CORRUPT", path, f"cannot be read as {kind[1:]} ({type(error).__name__})",
            fix="write the file again",
        ) from None  # fmt: skip
    return _checked(frame, path)


def _csv(path: Path) -> pl.DataFrame:
    frame = pl.read_csv(path, infer_schema=False, encoding="utf8", null_values=["", "NA", "."])
    numbers = [
        name
        for name in frame.columns
        if name.upper() not in (*TEXT, *DAYS)
        and _are_numbers(frame[name].drop_nulls().str.strip_chars())
        and frame[name].null_count() < frame.height
    ]
    return frame.with_columns(pl.col(numbers).str.strip_chars().cast(pl.Float64))


def _are_numbers(texts: pl.Series) -> bool:
    """Whether all are numbers; words that programs write for what is none are so beside one number at least."""
    canonical, words = texts.str.contains(CANONICAL), texts.str.contains(NO_NUMBER)
    return bool((canonical | words).all()) and bool(canonical.any())


def _transport(path: Path) -> pl.DataFrame:
    import pyreadstat

    columns, _ = pyreadstat.read_xport(str(path), output_format="dict")
    return pl.DataFrame(columns, strict=False)


def _checked(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    names = [name.strip().upper() for name in frame.columns]
    double = next((name for name in names if names.count(name) > 1), None)
    if double:
        raise FileError(
            "DUPLICATE_COLUMN", path, f"there are two columns '{double}'", fix="name one otherwise"
        )
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    if not frame.height:
        raise FileError("NO_ROWS", path, "there are no rows", fix="write the table again")
    frame = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    frame = frame.with_columns(pl.col(pl.Float32, pl.Float64).cast(pl.Float64).fill_nan(None))
    _refuse_infinite(frame, path)
    texts = pl.col(pl.String).str.strip_chars()
    frame = frame.with_columns(pl.when(texts != "").then(texts).otherwise(None).name.keep())
    frame = _whole_numbers(frame)
    frame = frame.with_columns(pl.col(name).cast(pl.String) for name in TEXT & set(names))
    return frame.with_columns(_day(frame, name, path) for name in DAYS if name in names)


def _refuse_infinite(frame: pl.DataFrame, path: Path) -> None:
    for name, dtype in frame.schema.items():
        number = int(frame[name].is_infinite().sum()) if dtype == pl.Float64 else 0
        if number:
            rows = "1 row" if number == 1 else f"{number} rows"
            raise FileError(
                "WRONG_TYPE", path, f"column '{name}': infinite numbers ({rows})",
                fix="leave the cell empty where the value is not known",
            )  # fmt: skip


def _whole_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    floats = [name for name, dtype in frame.schema.items() if dtype == pl.Float64]
    whole = [
        name
        for name in floats
        if (values := frame[name].drop_nulls()).is_finite().all()
        and (values == values.round()).all()
        and values.abs().max() is not None
        and float(values.abs().max()) < 2**53  # type: ignore[arg-type]
    ]
    return frame.with_columns(pl.col(whole).cast(pl.Int64))


def _day(frame: pl.DataFrame, name: str, path: Path) -> pl.Expr:
    dtype = frame.schema[name]
    if dtype in (pl.Date, pl.Datetime):
        return pl.col(name).cast(pl.Date)
    if dtype == pl.String:
        found = frame[name].str.to_date("%Y-%m-%d", strict=False)
        if found.null_count() == frame[name].null_count():
            return pl.col(name).str.to_date("%Y-%m-%d", strict=False)
    elif frame[name].null_count() == frame.height:
        return pl.lit(None, pl.Date).alias(name)
    raise FileError(
        "WRONG_TYPE", path, f"column '{name}' holds something else than dates",
        fix="write dates as 2024-06-30",
    )  # fmt: skip


READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".csv": _csv,
    ".parquet": pl.read_parquet,
    ".xpt": _transport,
}
