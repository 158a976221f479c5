"""Model terms to covariate columns: factors by declared levels, numbers, simple functions, interactions.

The notation is R's: `arm + age + log(bili) + arm:sex`, `arm*sex` for both effects and their interaction. Columns are
named as R names them: `armB`, `age`, `armB:sexm`. As in R, a factor of an interaction has a column for each of its
levels, the reference too, where no earlier term holds the interaction without it: `arm:age` alone is a slope in
each arm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reports.stats.checks import numbers, refuse
from reports.stats.expressions import Variable, variable
from reports.stats.times import Floats

Levels = Mapping[str, Sequence[str]]

TEXTS = (pl.String, pl.Categorical, pl.Enum)


@dataclass(frozen=True)
class Design:
    """Covariates of a model: `matrix` (n x p), the names of its columns, and the term of each (0, 1, ...).

    `levels` holds the levels of each factor as it stands in the formula, the reference first.
    """

    matrix: Floats
    names: tuple[str, ...]
    term_of: tuple[int, ...]
    terms: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]

    def without(self, term: int) -> Design:
        """The design without one term."""
        keep = [k for k, of in enumerate(self.term_of) if of != term]
        return Design(
            self.matrix[:, keep],
            tuple(self.names[k] for k in keep),
            tuple(self.term_of[k] for k in keep),
            self.terms,
            self.levels,
        )


@dataclass(frozen=True)
class _Factor:
    """One variable of a term: its columns and what their names add to the term's. A factor has one per level."""

    names: tuple[str, ...]
    columns: Floats
    levels: tuple[str, ...] = ()

    @property
    def contrasts(self) -> _Factor:
        """Without the column of a factor's reference."""
        if not self.levels:
            return self
        return _Factor(self.names[1:], self.columns[:, 1:], self.levels)


def terms_of(formula: str) -> list[tuple[str, ...]]:
    """The terms of a right-hand side, main effects first, each as its variables in the order of the formula.

    Raises:
        ValueError: The notation is none of those above.
    """
    place: dict[str, int] = {}
    found: dict[frozenset[str], None] = {}
    for part in _split(formula, "+"):
        if part in ("1", ""):
            continue
        for term in _crossed(part):
            labels = [variable(text).label for text in term]
            for label in labels:
                place.setdefault(label, len(place))
            found.setdefault(frozenset(labels))
    terms = [tuple(sorted(term, key=place.__getitem__)) for term in found]
    return sorted(terms, key=len)


def variables_of(formula: str) -> list[str]:
    """The columns that a right-hand side reads."""
    labels = chain.from_iterable(terms_of(formula))
    columns = chain.from_iterable(variable(label).columns for label in labels)
    return list(dict.fromkeys(columns))


def design(frame: pl.DataFrame, formula: str, levels: Levels | None = None) -> Design:
    """The covariates of a right-hand side.

    Args:
        frame: Without missing values in the variables. Text columns are factors.
        formula: For example `arm + age`.
        levels: Order of the levels of each factor, the reference first; else that of an Enum's categories; of
            others it is sorted. Levels that do not occur keep their column, which is then aliased.

    Raises:
        ValueError: A variable is not in the frame, or holds a value that is none of its levels.
    """
    columns: list[Floats] = []
    names: list[str] = []
    term_of: list[int] = []
    labels = []
    terms = terms_of(formula)
    made: dict[str, _Factor] = {}
    for label in chain.from_iterable(terms):
        if label not in made:
            made[label] = _factor(frame, variable(label), levels or {})
    factors = {label: factor.levels for label, factor in made.items() if factor.levels}
    for index, term in enumerate(terms):
        labels.append(":".join(term))
        joined = _Factor(("",), np.ones((frame.height, 1)))
        for label in term:
            whole = not _has_margin(terms, index, label)
            joined = _product(joined, made[label] if whole else made[label].contrasts)
        names.extend(joined.names)
        columns.append(joined.columns)
        term_of.extend([index] * len(joined.names))
    matrix = np.hstack(columns) if columns else np.zeros((frame.height, 0))
    return Design(matrix, tuple(names), tuple(term_of), tuple(labels), factors)


def factor_levels(values: pl.Series, declared: Sequence[str] | None = None) -> list[str]:
    """The levels of a factor: as declared, else those that occur, sorted (numbers by size)."""
    if declared is not None:
        return [str(level) for level in declared]
    return [level_label(value) for value in values.drop_nulls().unique().sort()]


def declared_levels(values: pl.Series, declared: Sequence[str] | None) -> Sequence[str] | None:
    """The order of a factor's levels that somebody gave: in the call, or as the categories of an Enum."""
    if declared is None and isinstance(values.dtype, pl.Enum):
        return values.dtype.categories.to_list()
    return declared


def level_codes(values: pl.Series, name: str, declared: Sequence[str] | None) -> NDArray[np.int64]:
    """Each value as the place of its level: as declared, else sorted (numbers by size).

    Raises:
        ValueError: A value is none of the declared levels, or one of them is declared twice.
    """
    order = declared_levels(values, declared)
    if order is None:
        values = values.cast(pl.String) if values.dtype == pl.Categorical else values
        return values.rank("dense").to_numpy().astype(np.int64) - 1
    if not isinstance(values.dtype, TEXTS):
        distinct = values.unique().to_list()
        values = values.replace_strict(
            distinct, [*map(level_label, distinct)], return_dtype=pl.String
        )
    labels = [str(level) for level in order]
    if len(set(labels)) < len(labels):
        raise ValueError(f"a level of {name} is declared twice")
    levels = pl.Enum(labels)
    codes = values.cast(pl.String).cast(levels, strict=False).to_physical()
    if codes.null_count():
        raise ValueError(f"{name} holds a value that is none of its levels")
    return codes.to_numpy().astype(np.int64)


def level_label(value: object) -> str:
    """A level as R prints it: whole numbers without decimals."""
    if isinstance(value, bool):
        return str(value).upper()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _crossed(part: str) -> list[tuple[str, ...]]:
    """`a*b` as a, b and a:b."""
    factors = [tuple(_split(factor, ":")) for factor in _split(part, "*")]
    sizes = range(1, len(factors) + 1)
    chosen = chain.from_iterable(combinations(factors, size) for size in sizes)
    return [tuple(dict.fromkeys(chain.from_iterable(term))) for term in chosen]


def _split(text: str, mark: str) -> list[str]:
    """Split where the mark stands outside of parentheses."""
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == mark and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


def _has_margin(terms: Sequence[tuple[str, ...]], index: int, label: str) -> bool:
    """Whether an earlier term holds all other variables of this one: then the variable is coded by contrasts.

    Source:
        R, `terms.object`: `factors` is 1 for contrasts, 2 for a column per level; an intercept counts as a term.
    """
    rest = set(terms[index]) - {label}
    return not rest or any(rest <= set(earlier) for earlier in terms[:index])


def _factor(frame: pl.DataFrame, var: Variable, levels: Levels) -> _Factor:
    for column in var.columns:
        if column not in frame.columns:
            raise ValueError(f"there is no column {column!r}")
    values = frame[var.columns[0]]
    if var.is_factor or (var.is_column and isinstance(values.dtype, (*TEXTS, pl.Boolean))):
        text = values.cast(pl.String) if isinstance(values.dtype, TEXTS) else values
        order = declared_levels(values, levels.get(var.columns[0]))
        if order is None or var.is_factor:
            present = factor_levels(text)
            order = present if order is None else [level for level in order if level in present]
        return _dummies(text, var.label, [str(level) for level in order])
    number = var.evaluate(lambda name: numbers(frame[name], name))
    if not var.is_column:
        refuse(~np.isfinite(number), var.label, "not a finite number")
    return _Factor((var.label,), number[:, None])


def _dummies(values: pl.Series, label: str, levels: Sequence[str]) -> _Factor:
    codes = level_codes(values, label, levels)
    columns = (codes[:, None] == np.arange(len(levels))).astype(np.float64)
    return _Factor(tuple(f"{label}{level}" for level in levels), columns, tuple(levels))


def _product(left: _Factor, right: _Factor) -> _Factor:
    """Each column of one with each of the other; the left one runs fastest, as in R."""
    names = tuple(f"{a}:{b}" if a else b for b in right.names for a in left.names)
    pairs = right.columns[:, :, None] * left.columns[:, None, :]
    columns = pairs.reshape(len(left.columns), len(names))
    return _Factor(names, columns)
