"""A center's spec: which files it sends and how their cells become canonical rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, field_validator, model_validator

from schemas.spec.base import Declared
from schemas.spec.columns import ColumnRule, Conditions, DateOrder, DecimalMark, Strings
from schemas.spec.texts import Encoding, Pattern

Language = Literal["de", "en", "es", "fr"]


class Center(Declared):
    """Who sends."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,15}$", description="Short id, as the inbox folder")
    name: str = Field(description="Name as reports print it")
    country: str = Field(description="Code of codelist country")


class Dates(Declared):
    """How the center writes dates."""

    order: DateOrder = Field(
        default="ymd", description="Order of day, month and year in short dates"
    )
    pivot: int = Field(default=40, ge=0, le=99, description="Two-digit years up to this are 20xx")
    serials: bool = Field(
        default=False, description="Whole numbers in date columns are Excel dates"
    )
    shifted: bool = Field(
        default=False,
        description="All dates of a patient were moved by the same number of days on purpose "
        "(de-identified export): rules on days of the calendar do not apply",
    )


class Numbers(Declared):
    """How the center writes numbers."""

    decimal: DecimalMark = Field(default=".", description="Decimal mark")
    grouping: str | None = Field(default=None, description="Thousands mark")

    @model_validator(mode="after")
    def _two_marks(self) -> Numbers:
        if self.decimal in (self.grouping or ""):
            raise ValueError(
                f"'grouping' is also the decimal mark '{self.decimal}': give both, as they are written"
            )
        return self


class Exclude(Declared):
    """Rows that are no data: legends, totals, another study. Counted with their reason."""

    reason: str = Field(description="One word for the ledger: legend, total, other_study")
    when: Conditions | None = Field(default=None, description="Rows for which all conditions hold")
    id_does_not_match: Pattern | None = Field(
        default=None, description="Rows whose patient id does not match this"
    )

    @model_validator(mode="after")
    def _some_test(self) -> Exclude:
        if (self.when is None) == (self.id_does_not_match is None):
            raise ValueError("give 'when' or 'id_does_not_match'")
        return self


class Checkbox(Declared):
    """A group of checkboxes in which one box says that none of the others applies."""

    none: str = Field(description="Header of the box 'none'")
    others: Strings = Field(description="Headers of the other boxes")


class Source(Declared):
    """One file or sheet (or several of the same form)."""

    file: str = Field(
        description="Path inside the delivery with * and ?; inside a zip: outer.zip/inner.csv"
    )
    kind: str | None = Field(
        default=None, description="csv, xlsx, sav, xpt, ...; default by content"
    )
    encoding: Encoding | None = None
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = Field(default=None, description="Name of the sheet; default the only one")
    header_rows: tuple[int, ...] | None = Field(
        default=None, description="Rows that hold the header, from 1"
    )
    dictionary: str | None = Field(
        default=None, description="REDCap data dictionary: path inside the delivery"
    )
    password: str | None = Field(
        default=None, description="Name of the environment variable that holds it"
    )
    patient_id: str = Field(description="Header of the patient id")
    where: Conditions | None = Field(
        default=None, description="Only rows for which all conditions hold"
    )
    exclude: tuple[Exclude, ...] = ()
    checkboxes: tuple[Checkbox, ...] = ()
    ignore: Strings = Field(default=(), description="Headers unused on purpose; * and ? allowed")
    drop: Strings = Field(
        default=(), description="Headers that must not be kept: removed after reading"
    )
    allow: Strings = Field(
        default=(),
        description="Headers whose name or cells look as if they told a person, and do not: the column "
        "is kept",
    )
    optional: bool = Field(default=False, description="The file may be missing")
    fix: bool = Field(default=False, description="Cells go through the center's fix function first")
    adds: Strings = Field(default=(), description="Headers that the fix function adds")


class Join(Declared):
    """Another source whose row of the same patient (or key) stands beside the row."""

    source: str
    on: str | None = Field(
        default=None, description="Header of the key in both; default the patient ids"
    )
    columns: Strings | None = Field(default=None, description="Headers used; default all")
    prefix: str = Field(default="", description="Put before the joined headers")

    @model_validator(mode="after")
    def _told_apart(self) -> Join:
        if not self.columns and not self.prefix:
            raise ValueError("give 'columns' or 'prefix', so that joined headers are told apart")
        return self


class Repeat(Declared):
    """One row of the source gives several canonical rows."""

    bindings: tuple[dict[str, str], ...]

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, list):
            return {"bindings": value}
        if isinstance(value, dict) and "bindings" not in value:
            if len(value) != 1 or not isinstance(next(iter(value.values())), list):
                raise ValueError("write 'n: [1, 2, 3]' or a list of bindings")
            ((name, values),) = value.items()
            return {"bindings": [{name: item} for item in values]}
        return value

    @field_validator("bindings")
    @classmethod
    def _same_names(cls, value: tuple[dict[str, str], ...]) -> tuple[dict[str, str], ...]:
        if not value or any(set(item) != set(value[0]) for item in value):
            raise ValueError("every binding must name the same words")
        return value


class Block(Declared):
    """Rows of one canonical table from one source."""

    table: str
    source: str = Field(alias="from", description="Name of the source")
    join: Annotated[
        tuple[Join, ...], BeforeValidator(lambda v: [v] if isinstance(v, dict) else v)
    ] = ()
    where: Conditions | None = Field(
        default=None, description="Only rows for which all conditions hold"
    )
    repeat: Repeat | None = None
    keep_when: Conditions | None = Field(
        default=None, description="When a repeated row is kept; default any filled column"
    )
    columns: dict[str, ColumnRule] = Field(min_length=1)
    progression_row: bool | None = Field(
        default=None,
        description="A response cell like 'PR->PD' also gives a PROGRESSION row; default yes, in blocks "
        "of table response",
    )


class Definition(Declared):
    """How far the center's variable is the canonical one."""

    status: Literal["complete", "partial", "impossible"]
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"status": value} if isinstance(value, str) else value


class CenterSpec(Declared):
    """Everything needed to read what a center sends."""

    center: Center
    mode: Literal["snapshot", "append"] = Field(
        default="snapshot", description="A delivery replaces the earlier one, or adds to it"
    )
    id_pattern: Pattern | None = Field(
        default=None, description="Regular expression of the whole patient id"
    )
    export_date: dt.date | Literal["delivery"] = Field(
        default="delivery", description="Day of the export; 'delivery' takes the delivery's date"
    )
    language: Language = "en"
    dates: Dates = Dates()
    numbers: Numbers = Numbers()
    missing: Strings = Field(default=(), description="Texts that mean 'no value' in every column")
    unknown_columns: Literal["report", "refuse"] = "report"
    ignore_files: Strings = Field(default=(), description="Files of the delivery unused on purpose")
    ignore_sheets: Strings = Field(
        default=(), description="Sheets unused on purpose; * and ? allowed"
    )
    codebooks: dict[str, dict[str, str | None]] = Field(
        default={}, description="Named maps, used by columns"
    )
    fix: str | None = Field(
        default=None, description="Python file beside the spec with a function fix(cells, source)"
    )
    sources: dict[str, Source] = Field(min_length=1)
    tables: tuple[Block, ...] = Field(min_length=1)
    definitions: dict[str, Definition] = {}
    facts: dict[str, str] = Field(
        default={}, description="Free facts: response criteria, who confirms"
    )

    _path: Path = PrivateAttr(default=Path())
    _hash: str = PrivateAttr(default="")

    @property
    def path(self) -> Path:
        """The file that holds the spec."""
        return self._path

    @property
    def spec_hash(self) -> str:
        """SHA-256 of the spec and of its fix function."""
        return self._hash

    @property
    def fix_path(self) -> Path | None:
        """The Python file of the fix function."""
        return self._path.parent / self.fix if self.fix else None
