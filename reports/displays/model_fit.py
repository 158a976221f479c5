"""One Cox model of a plan: its rows, who is left out and why, and the fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.context import Context
from reports.displays.estimate import ALL
from reports.stats.hazards.firth import FirthFit, firth
from reports.stats.hazards.fit import CoxFit
from reports.stats.hazards.model import cox

if TYPE_CHECKING:
    from schemas.spec.plan import CoxModel, Forest

    Modelled = CoxModel | Forest

DAYS, EVENT, PATIENT = "days", "event", "USUBJID"
MOST_PENALIZED = 5_000  # rows


@dataclass(frozen=True)
class Request:
    """What is fitted: terms of a display's endpoint on rows, under a code that tells models apart.

    `frame` has `USUBJID`, `days`, `event` and the variables; where a patient has several rows, `entry` names
    the column from which each counts. `candidates` is the number of patients that the model is about,
    `lost` label → patients among them who have no row, by cause.
    """

    terms: tuple[str, ...]
    frame: pl.DataFrame
    candidates: int
    lost: dict[str, int] = field(default_factory=dict)
    code: str = ALL
    label: str = "All patients"
    entry: str | None = None
    strata: str | None = None
    cluster: str | None = None


@dataclass(frozen=True)
class Fitted:
    """A request with its complete rows and the fit; `fit` is None where nothing can be fitted (`why_not`)."""

    planned: Modelled
    context: Context
    request: Request
    rows: pl.DataFrame
    terms: tuple[str, ...]
    levels: dict[str, dict[str, str]]
    fit: CoxFit | None
    why_not: str = ""

    @property
    def n(self) -> int:
        """Patients in the model."""
        return self.rows[PATIENT].n_unique()

    @property
    def events(self) -> int:
        """Events in the model."""
        return int(self.rows[EVENT].sum())

    @property
    def per_parameter(self) -> float | None:
        """Events per parameter."""
        return self.events / self.fit.df if self.fit is not None and self.fit.df else None

    @cached_property
    def missing(self) -> dict[str, int]:
        """Variable → patients of the rows who have no value of it; a patient may lack several."""
        return {
            name: count
            for name in used_names(self.request)
            if (count := self.request.frame.filter(pl.col(name).is_null())[PATIENT].n_unique())
        }

    @cached_property
    def penalized(self) -> FirthFit | None:
        """Firth's fit where a coefficient has no finite estimate; of primary models of not too many rows."""
        if self.fit is None or not self.fit.maximum.infinite.any() or not self.may_be_penalized:
            return None
        return self.context.fits.once(self.fit, "firth", firth)

    @property
    def why_not_penalized(self) -> str:
        """Why Firth's fit gives nothing; empty if it does, or was not asked for."""
        if self.penalized is None or self.penalized.converged:
            return ""
        if isnan(self.penalized.loglik):
            return "there are no more events than parameters"
        return "the search did not settle"

    @property
    def may_be_penalized(self) -> bool:
        """Whether Firth's fit is computed: profile limits are hundreds of fits."""
        return self.rows.height <= MOST_PENALIZED and self.request.code.split("|")[0] == ALL

    def counted(self, name: str) -> dict[str, tuple[int, int]]:
        """Level of a factor → patients and events in the model."""
        found = self.rows.group_by(name).agg(
            n=pl.col(PATIENT).n_unique(), events=pl.col(EVENT).sum()
        )
        return {level: (n, events) for level, n, events in found.iter_rows()}

    def columns(self, name: str) -> Iterator[tuple[str | None, int]]:
        """Level (None of a number) and column of the fit, for all columns of a term."""
        if self.fit is None or name not in self.fit.terms:
            return
        index = self.fit.terms.index(name)
        places = [k for k, of in enumerate(self.fit.term_of) if of == index]
        codes: list[str | None] = [None]
        if name in self.levels:
            codes = [*[*self.levels[name]][1:]]
        yield from zip(codes, places, strict=True)


def used_names(request: Request) -> tuple[str, ...]:
    """The variables that a row must have: terms, stratum, cluster."""
    names = [*request.terms, request.strata, request.cluster]
    return tuple(dict.fromkeys(name for name in names if name is not None))


def fitted(planned: Modelled, context: Context, request: Request) -> Fitted:
    """Fits the complete rows, with the levels that occur; the reference is the first of them."""
    rows = request.frame.drop_nulls(list(used_names(request)))
    levels = _occurring(context, request.terms, rows)
    terms = tuple(name for name in request.terms if _varies(name, rows, levels))
    why_not = ""
    if not request.frame.height:
        why_not = "no patient has a time at risk"
    elif not rows.height:
        why_not = "no patient has a value of every variable"
    elif not rows[EVENT].sum():
        why_not = "no event"
    elif not terms:
        why_not = "no variable has two values"
    fit = None
    if not why_not:
        fit = _cox(context, request, rows, terms, levels)
    return Fitted(planned, context, request, rows, terms, levels, fit, why_not)


def _cox(
    context: Context,
    request: Request,
    rows: pl.DataFrame,
    terms: tuple[str, ...],
    levels: dict[str, dict[str, str]],
) -> CoxFit:
    asked = {name: tuple(codes) for name, codes in levels.items()}
    grouped = (request.entry, request.strata, request.cluster)

    def make() -> CoxFit:
        return cox(
            rows, " + ".join(terms), time=DAYS, event=EVENT, entry=request.entry,
            strata=request.strata, cluster=request.cluster, levels=asked,
        )  # fmt: skip

    if request.code.split("|")[0] != ALL:  # no other display fits a variant
        return make()
    used = dict.fromkeys(name for name in (DAYS, EVENT, *terms, *grouped) if name)
    return context.fits.fit((terms, tuple(asked.items()), grouped), rows.select(list(used)), make)


def primary_request(planned: Modelled, context: Context, terms: tuple[str, ...]) -> Request:
    """The patients of a display with a time of its endpoint."""
    chosen = context.chosen(planned.where)
    times = context.times(planned.endpoint, planned.where)
    frame = with_known_levels(times, context, (*terms, *_others(planned)))
    lost = {"Time cannot be told": chosen.height - frame.height}
    return Request(terms, frame, chosen.height, {k: v for k, v in lost.items() if v})


def with_known_levels(
    frame: pl.DataFrame, context: Context, names: tuple[str, ...]
) -> pl.DataFrame:
    """Values that are none of a variable's levels are unknown: the plan does not say what they mean."""
    levels = {name: context.variable(name).levels for name in names}
    return frame.with_columns(
        pl.when(pl.col(name).is_in(list(codes))).then(pl.col(name)).alias(name)
        for name, codes in levels.items()
        if codes
    )


def _others(planned: Modelled) -> tuple[str, ...]:
    """Variables beside the terms that a model may be of."""
    names = (getattr(planned, "stratified_by", None), getattr(planned, "clustered_by", None))
    instead = [new for news in getattr(planned, "replace", {}).values() for new in news]
    return tuple(dict.fromkeys([*(name for name in names if name), *instead]))


def _occurring(
    context: Context, terms: tuple[str, ...], rows: pl.DataFrame
) -> dict[str, dict[str, str]]:
    found = {}
    for name in terms:
        levels = context.variable(name).levels
        if levels:
            present = set(rows[name].unique().to_list())
            found[name] = {code: label for code, label in levels.items() if code in present}
    return found


def _varies(name: str, rows: pl.DataFrame, levels: dict[str, dict[str, str]]) -> bool:
    return len(levels[name]) > 1 if name in levels else rows[name].n_unique() > 1
