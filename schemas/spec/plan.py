"""The analysis plan: which displays a report holds, of which endpoints, groups and models.

A plan is data. The one of the published analysis is `schemas/plans/salvage_after_cart.yaml`; a study
names another one, or writes its own file, under `analysis` in `study.yaml`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.spec.base import Declared, Problem
from schemas.spec.plan_repeats import printed_alike, repeated

GROUP = "GRP4"  # its levels are the groups of the study
# Keys whose variables are put into a model.
MODELLED = ("terms", "replace", "stratified_by", "treatment", "subgroups", "by")


class Variable(Declared):
    """A variable of the analysis: a column of adsl, perhaps recoded or cut, with its levels."""

    label: str
    column: str | None = Field(default=None, description="Column of adsl; default: the name")
    levels: dict[str, str] = Field(
        default={}, description="Code → label in order, the reference first; empty: a number"
    )
    recode: dict[str, str] = Field(default={}, description="Value of the column → code")
    cut: float | None = Field(
        default=None,
        description="Cut of a number: values up to it have the first level, values above the second",
    )
    unit: str | None = None
    per: float = Field(
        default=1,
        gt=0,
        description="Units of a number that its hazard ratio is per, such as 10 years",
    )
    decimals: int = Field(
        default=0, ge=0, le=3, description="Decimals in which a number is printed"
    )
    after_start: bool = Field(
        default=False, description="Known only after time zero: a model of it has guarantee time"
    )
    cut_from: str | None = Field(
        default=None, description="Where the cut comes from: prespecified, median, data-driven, ..."
    )

    @model_validator(mode="after")
    def _a_cut_has_two_levels(self) -> Variable:
        if self.cut is not None and len(self.levels) != 2:
            raise ValueError("a variable with 'cut' has two levels: up to the cut, above it")
        unknown = set(self.recode.values()) - set(self.levels)
        if unknown:
            raise ValueError(f"'recode' gives '{min(unknown)}', which is no level")
        return self


class Endpoint(Declared):
    """A PARAMCD of adtte as it is printed."""

    label: str
    event: str = Field(description="One event, e.g. death")
    events: str = Field(description="Several, e.g. deaths")
    origin: str = Field(description="Where the clock starts, e.g. first salvage")
    competing: str | None = Field(default=None, description="The competing event (CNSR 2), if any")


class Display(Declared):
    """What all displays share."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    heading: str
    note: str = ""
    where: dict[str, tuple[str, ...]] = Field(
        default={}, description="Variable → codes: only these patients"
    )


class BaselineTable(Display):
    """Characteristics by group: median (range) or n (%), with a test."""

    kind: Literal["baseline"]
    by: str = GROUP
    rows: tuple[str, ...]


class ResponseBars(Display):
    """Best response by group."""

    kind: Literal["response"]
    by: str = GROUP


class SurvivalCurves(Display):
    """Kaplan-Meier curves with numbers at risk, medians and log-rank tests."""

    kind: Literal["survival"]
    endpoint: str
    by: tuple[str, ...] = Field(default=(), max_length=2)
    pairwise: bool = Field(default=False, description="Log-rank of each pair, adjusted by Holm")
    follow_up: bool = Field(default=False, description="Median follow-up, reverse Kaplan-Meier")
    at_months: tuple[float, ...] = Field(default=(), description="Survival at these months")
    rmst_months: float | None = Field(default=None, gt=0, description="Restricted mean up to here")
    landmark_months: float | None = Field(
        default=None, gt=0, description="Only patients at risk then, and time from then"
    )


class Forest(Display):
    """Hazard ratio of one variable in every subgroup, with the P value of the interaction."""

    kind: Literal["forest"]
    endpoint: str
    treatment: str
    subgroups: tuple[str, ...]
    acknowledge_guarantee_time: bool = Field(
        default=False, description="Needed for a variable that is known only after time zero"
    )


class CoxModel(Display):
    """A Cox model; beside it, if asked for, what it would be otherwise."""

    kind: Literal["model"]
    endpoint: str
    terms: tuple[str, ...] = Field(min_length=1)
    acknowledge_guarantee_time: bool = Field(
        default=False, description="Needed for a variable that is known only after time zero"
    )
    landmarks_months: tuple[float, ...] = Field(
        default=(), description="The same model from these landmarks on"
    )
    time_dependent: bool = Field(
        default=False, description="The same model with the late term as it becomes known"
    )
    stratified_by: str | None = Field(default=None, description="Beside it: stratified")
    clustered_by: str | None = Field(default=None, description="Beside it: robust standard errors")
    replace: dict[str, tuple[str, ...]] = Field(
        default={}, description="Term → terms that take its place, one model each"
    )
    diagnostics: bool = Field(
        default=False, description="Tests and residuals of proportional hazards"
    )
    sensitivity: bool = Field(
        default=False, description="Partial dates, each center left out, alternative settings"
    )


class CompetingRisks(Display):
    """Cumulative incidence with a competing event: Aalen-Johansen, Gray, Fine-Gray, cause-specific Cox."""

    kind: Literal["competing"]
    endpoint: str
    by: str = GROUP
    at_months: tuple[float, ...] = (6, 12)
    acknowledge_guarantee_time: bool = Field(
        default=False, description="Needed for a variable that is known only after time zero"
    )


class LineFlow(Display):
    """Who went on to what after which first salvage."""

    kind: Literal["flow"]


class Summary(Display):
    """The numbers of the text: times to relapse, rates, medians by group."""

    kind: Literal["summary"]
    by: str = GROUP
    medians: tuple[str, ...] = Field(default=(), description="Endpoints")
    numbers: tuple[str, ...] = Field(default=(), description="Variables that are numbers")
    shares: tuple[str, ...] = Field(default=(), description="Variables with levels")


class Swimmer(Display):
    """A bar a patient: lines, responses, death, from first salvage."""

    kind: Literal["swimmer"]
    most: int = Field(default=60, ge=1, description="Patients that are drawn, the longest first")


class Completeness(Display):
    """Share of known values by variable and center."""

    kind: Literal["completeness"]
    variables: tuple[str, ...]


AnyDisplay = Annotated[
    BaselineTable | ResponseBars | SurvivalCurves | Forest | CoxModel | CompetingRisks | LineFlow
    | Summary | Swimmer | Completeness,
    Field(discriminator="kind"),
]  # fmt: skip


class Disclosure(Declared):
    """What is held back when a report leaves the hands of those who may see single patients."""

    threshold: int | None = Field(
        default=None,
        ge=2,
        description="Counts from 1 up to below this are held back, with those that would give them away, and "
        "curves end where fewer are at risk; none: nothing is held back",
    )


class Plan(Declared):
    """All that a report shows beside who is in it and where it comes from."""

    title: str
    variables: dict[str, Variable]
    endpoints: dict[str, Endpoint]
    displays: tuple[AnyDisplay, ...]
    early_events: int = Field(
        default=10, ge=1, description="Fewer events than this per parameter or curve are flagged"
    )
    small_group: int = Field(default=20, ge=1, description="Smaller groups are descriptive only")
    rmst_months: tuple[float, ...] = Field(
        default=(12, 6, 3),
        description="Restricted means are compared up to the longest of these months that all curves "
        "reach, where curves cross or hazards are not proportional and a display names no month",
    )
    disclosure: Disclosure = Field(
        default=Disclosure(), description="Small counts; nothing is held back by default"
    )

    def problems(self) -> list[Problem]:
        """Names that nothing in the plan stands for, as places and sentences."""
        found: list[Problem] = [*printed_alike(self.variables)]
        seen: set[str] = set()
        for index, display in enumerate(self.displays):
            place = ("displays", index)
            if display.id in seen:
                found.append(((*place, "id"), f"there are two displays '{display.id}'"))
            seen.add(display.id)
            for key, name in names_of(display):
                known = self.endpoints if key in ("endpoint", "medians") else self.variables
                if name not in known:
                    kind = "endpoint" if known is self.endpoints else "variable"
                    found.append(((*place, key), f"'{name}' is no {kind} of the plan"))
            found += [((*place, *inner), text) for inner, text in repeated(display)]
            wrong = (*self._guarantee(display), *self._selection(display), *self._shape(display))
            found += [((*place, key), text) for key, text in wrong]
        return found

    def _selection(self, display: AnyDisplay) -> list[tuple[str, str]]:
        """Codes of `where` that no level has: they would choose nobody without a word."""
        found = []
        for name, codes in display.where.items():
            levels = self.variables[name].levels if name in self.variables else {}
            others = [code for code in codes if levels and code not in levels]
            found += [("where", f"'{code}' is no level of '{name}'") for code in others]
        return found

    def _shape(self, display: AnyDisplay) -> list[tuple[str, str]]:
        """What a kind of display needs of the names that it is given."""
        found = []
        if isinstance(display, Forest) and display.treatment in self.variables:
            levels = self.variables[display.treatment].levels
            if len(levels) not in (0, 2):
                text = f"'{display.treatment}' has {len(levels)} levels; a treatment has two"
                found.append(("treatment", text))
        if isinstance(display, Forest) and display.treatment in display.subgroups:
            found.append(("subgroups", f"'{display.treatment}' is the treatment of this forest"))
        endpoint = self.endpoints.get(getattr(display, "endpoint", ""))
        if isinstance(display, CompetingRisks) and endpoint and endpoint.competing is None:
            text = (
                f"endpoint '{display.endpoint}' has no competing event; say which under 'competing'"
            )
            found.append(("endpoint", text))
        if isinstance(display, CoxModel):
            found += [
                ("replace", f"'{name}' is no term of this model")
                for name in display.replace
                if name not in display.terms
            ]
        months = [
            month
            for key in ("at_months", "landmarks_months")
            for month in getattr(display, key, ())
            if month <= 0
        ]
        if months:
            found.append(("id", f"'{display.id}' names a month that is not above 0"))
        return found

    def _guarantee(self, display: AnyDisplay) -> list[tuple[str, str]]:
        """Models of what is known only after time zero, unless the plan says that it knows."""
        if getattr(display, "acknowledge_guarantee_time", True):
            return []
        return [
            (
                key,
                f"'{name}' is known only after time zero: the model favours those who live to have it; "
                "write acknowledge_guarantee_time: true to print it with that warning",
            )
            for key, name in names_of(display)
            if key in MODELLED and name in self.variables and self.variables[name].after_start
        ]


def names_of(display: AnyDisplay) -> list[tuple[str, str]]:
    """Key and name of every variable and endpoint that a display names."""
    found = [("where", name) for name in display.where]
    for key in ("endpoint", "treatment", "stratified_by", "clustered_by"):
        if name := getattr(display, key, None):
            found.append((key, name))
    for key in ("by", "rows", "subgroups", "terms", "numbers", "shares", "variables", "medians"):
        names = getattr(display, key, ())
        found += [(key, name) for name in ([names] if isinstance(names, str) else names)]
    for name, others in getattr(display, "replace", {}).items():
        found += [("replace", other) for other in (name, *others)]
    return found
