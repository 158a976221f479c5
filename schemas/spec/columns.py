"""How one canonical column is filled from the cells of a center."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from schemas.spec.base import Declared
from schemas.spec.texts import Pattern, groups

DateOrder = Literal["dmy", "mdy", "ymd"]
DecimalMark = Literal[".", ","]
Parser = Literal[
    "date",
    "year",
    "number",
    "integer",
    "code",
    "text",
    "response",
    "regimen",
    "lesion_category",
    "cytogenetics",
]
# Columns of table risk that a free text on cytogenetics can fill (`as: cytogenetics`).
CYTOGENETIC = (
    "del_17p",
    "del_17p_share",
    "t_4_14",
    "t_14_16",
    "t_14_20",
    "gain_1q",
    "del_1p",
    "high_risk_cytogenetics",
)
SOURCES = ("column", "coalesce", "constant", "template", "regex", "sequence")


def as_list(value: Any) -> Any:
    """One value where a list may stand."""
    return [value] if isinstance(value, str) else value


Strings = Annotated[tuple[str, ...], BeforeValidator(as_list)]


class Extract(Declared):
    """The part of a cell that a regular expression picks."""

    column: str = Field(description="Header of the source column")
    pattern: Pattern = Field(description="Regular expression, found anywhere in the cell")
    group: int = Field(
        default=1, ge=0, description="Which group is the value; 0 is the whole match"
    )
    unmatched: Literal["error", "missing"] = Field(
        default="error", description="What a filled cell means in which the pattern is not found"
    )

    @model_validator(mode="after")
    def _has_group(self) -> Extract:
        known = groups(self.pattern)
        if self.group > known:
            raise ValueError(f"the pattern has {known} group(s), and 'group' asks for {self.group}")
        return self


class ColumnRule(Declared):
    """Where a canonical column comes from, and how its text is understood."""

    column: str | None = Field(default=None, description="Header of the source column")
    coalesce: tuple[str, ...] | None = Field(
        default=None, min_length=2, description="Several columns: the first that is filled"
    )
    constant: str | None = Field(default=None, description="The same text for every row")
    template: str | None = Field(
        default=None, description="Text with {header} places; null if one is empty"
    )
    regex: Extract | None = Field(default=None, description="A part of a cell")
    sequence: str | None = Field(
        default=None,
        description="Position of the row within the patient, ordered by this canonical date",
    )
    at: str | None = Field(
        default=None, description="With a constant: header of the cell it stands for (a ticked box)"
    )
    parse_as: Parser | None = Field(
        default=None,
        alias="as",
        description="How the text is understood; default from the column's kind",
    )
    map: dict[str, str | None] | None = Field(
        default=None, description="The center's own spellings or codes -> codes; null means missing"
    )
    codebook: str | None = Field(default=None, description="Name of a map under `codebooks`")
    vocabulary: str | None = Field(
        default=None, description="Shared vocabulary; default the codelist's"
    )
    labels: bool = Field(
        default=False, description="Read the value labels of the file instead of the codes"
    )
    missing: Strings = Field(default=(), description="Further texts that mean 'no value' here")
    unit: str | None = Field(default=None, description="Unit of every number of the column")
    unit_column: str | None = Field(
        default=None, description="Header of the column that holds the unit"
    )
    unit_map: dict[str, str] | None = Field(
        default=None, description="The center's unit texts -> units"
    )
    decimal: DecimalMark | None = Field(
        default=None, description="Decimal mark, if not the center's"
    )
    grouping: str | None = Field(default=None, description="Thousands mark, if not the center's")
    order: DateOrder | None = Field(default=None, description="Date order, if not the center's")
    serials: bool | None = Field(default=None, description="Whole numbers are Excel dates")
    pivot: int | None = Field(
        default=None, ge=0, le=99, description="Two-digit years up to this are 20xx"
    )
    precision: Literal["day", "month", "year"] | None = Field(
        default=None, description="What of a date is known at most, whatever the cell shows"
    )
    optional: bool = Field(
        default=False, description="The source column may be missing from the file"
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_source(self) -> ColumnRule:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            wanted = ", ".join(SOURCES)
            raise ValueError(
                f"name exactly one of {wanted}" + (f", not {' and '.join(given)}" if given else "")
            )
        if self.at is not None and self.constant is None:
            raise ValueError("'at' goes with 'constant' only")
        if self.unit and self.unit_column:
            raise ValueError("give 'unit' or 'unit_column', not both")
        if self.unit_map and not self.unit_column:
            raise ValueError("'unit_map' needs 'unit_column'")
        return self

    @property
    def how(self) -> str:
        """Which kind of source fills the column."""
        return next(name for name in SOURCES if getattr(self, name) is not None)


class Condition(Declared):
    """A test of one cell: all given keys must hold.

    Texts are compared without outer blanks, and an empty cell is the text ''.
    """

    column: str = Field(description="Header of the source column")
    equals: str | None = None
    one_of: Strings | None = Field(default=None, alias="in")
    not_in: Strings | None = None
    matches: Pattern | None = None
    filled: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"column": value, "filled": "true"} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _some_test(self) -> Condition:
        if all(
            getattr(self, name) is None
            for name in ("equals", "one_of", "not_in", "matches", "filled")
        ):
            raise ValueError("give one of equals, in, not_in, matches, filled")
        return self


Conditions = Annotated[
    tuple[Condition, ...], BeforeValidator(lambda v: [v] if isinstance(v, (str, dict)) else v)
]
