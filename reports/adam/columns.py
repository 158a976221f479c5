"""Numbers of adsl that stand in a column of text: the use that the plan makes of it decides what it must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from reports.adam.read import CANONICAL, TEXT
from reports.adam.source import ROW, Source
from reports.plan_fit import used_variables
from schemas.spec.plan import names_of

if TYPE_CHECKING:
    from schemas.spec.plan import Plan, Variable

# Uses in which a variable without levels is a number if its column is one.
AS_NUMBER = ("rows", "terms", "replace", "by", "subgroups", "treatment", "shares")
# A number as people write it, with a decimal point or comma; 007 is a code.
WRITTEN = r"^[-+]?(0|[1-9][0-9]*)([.,][0-9]+)?([eE][-+]?[0-9]+)?$"
# Different numbers in a column of text, up to which they may be codes such as grades: a file that has types says so.
CODES = 10


@dataclass(frozen=True)
class Use:
    """A variable of the plan, where it is used, whether it is a number whatever it holds, and whether it is cut."""

    place: str
    name: str
    column: str
    is_number: bool
    is_cut: bool


def check_numbers(plan: Plan, adsl: Source) -> None:
    """Refuses a column that holds numbers and text where the plan has a number.

    A variable with levels or a recode is a factor and may hold anything. One without is a number where it
    is cut, summarized as a number, or has a unit, decimals or `per`; elsewhere if most of its cells are numbers.

    Raises:
        FileError: Column, number of cells that are none, the first row of them; never a value. Also a column
            of lists or bytes.
    """
    _check_types(plan, adsl)
    for use in _uses(plan, adsl.frame.columns):
        if use.column in TEXT or adsl.frame.schema[use.column].is_numeric():
            continue
        text = pl.col(use.column).cast(pl.String, strict=False)
        is_plain = text.str.contains(CANONICAL)
        if use.is_cut:  # what can be cut need not be written plainly
            is_plain = text.cast(pl.Float64, strict=False).is_not_null()
        cells = adsl.numbered().frame.select(ROW, text=text, is_plain=is_plain).drop_nulls("text")
        wrong = cells.filter(~pl.col("is_plain"))
        if not cells.height or not (use.is_number or _is_meant(cells, adsl)):
            continue
        if use.is_cut and not wrong.height:
            continue
        raise adsl.fault("WRONG_TYPE", *_told(use, cells.height, wrong))


def _check_types(plan: Plan, adsl: Source) -> None:
    """Refuses columns of lists, records or bytes: a variable has one value a patient."""
    for name in used_variables(plan):
        column = plan.variables[name].column or name
        dtype = adsl.frame.schema.get(column)
        if dtype is not None and (dtype.is_nested() or dtype in (pl.Binary, pl.Object)):
            raise adsl.fault(
                "WRONG_TYPE", f"column '{column}' of variable '{name}' holds neither numbers nor text",
                "write one number, word or day into each cell",
            )  # fmt: skip


def _told(use: Use, n: int, wrong: pl.DataFrame) -> tuple[str, str]:
    """What is wrong with a column, and what to do."""
    levels = f"give variable '{use.name}' levels in the plan if it is a factor"
    if not wrong.height:
        return (
            f"column '{use.column}': numbers written as text ({n} cells), {use.place}",
            f"write them as numbers, or {levels}",
        )
    cells = "1 cell is no number" if wrong.height == 1 else f"{wrong.height} cells are no numbers"
    fix = "write numbers alone (with a decimal point), and leave the cell empty where there is none"
    return (
        f"column '{use.column}': {cells} (of {n}, the first is in row {wrong[ROW][0]}), {use.place}",
        fix if use.is_number else f"{fix}; or {levels}",
    )


def _is_meant(cells: pl.DataFrame, adsl: Source) -> bool:
    """Whether a column of text was meant as a number: many different ones, or in a CSV file most of the cells."""
    numbers = cells.filter(pl.col("text").str.contains(WRITTEN))["text"]
    mostly = 2 * numbers.len() >= cells.height and not adsl.is_typed
    return mostly or numbers.n_unique() > CODES


def _uses(plan: Plan, columns: list[str]) -> list[Use]:
    """The uses of variables that may be numbers, each variable once."""
    found: dict[str, Use] = {}
    for display in plan.displays:
        for key, name in names_of(display):
            variable = plan.variables.get(name)
            if variable is None or (variable.column or name) not in columns:
                continue
            number = key == "numbers" or _says_number(variable)
            factor = bool(variable.levels or variable.recode) and variable.cut is None
            if factor or not (number or key in AS_NUMBER):
                continue
            place = f"and display '{display.id}' has variable '{name}' in {key}"
            use = Use(place, name, variable.column or name, number, variable.cut is not None)
            if name not in found or (number and not found[name].is_number):
                found[name] = use
    return list(found.values())


def _says_number(variable: Variable) -> bool:
    """Whether the plan itself says that a variable is a number."""
    return (
        variable.cut is not None
        or variable.unit is not None
        or variable.decimals > 0
        or variable.per != 1
    )
