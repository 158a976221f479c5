"""`study.yaml`: what the study decides, with the defaults of the published analysis."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from schemas.spec.base import Declared
from schemas.spec.notification import Notification


class Settings(Declared):
    """Decisions of the principal investigator; every report prints them."""

    early_relapse_months: tuple[Annotated[float, Field(gt=0, le=120, allow_inf_nan=False)], ...] = (
        Field(
            default=(3, 5),
            min_length=2,
            max_length=2,
            description="The two cut-offs of early relapse in months after infusion",
        )
    )
    early_relapse_tie: Literal["early_if_equal", "late_if_equal"] = "early_if_equal"
    dual_bispecific: Literal["OTHER", "TALQ", "TEC"] = Field(
        default="OTHER", description="Group of talquetamab with teclistamab"
    )
    pfs_censoring: Literal["last_contact", "last_assessment"] = "last_contact"
    bridge_days: int = Field(
        default=30,
        ge=0,
        le=180,
        description="Longest time from a bridge to the first systemic agent",
    )
    time_zero: Literal["systemic", "bridge"] = "systemic"
    best_response_window: Literal[
        "until_pd_or_next_line", "until_pd", "until_next_line", "any_time"
    ] = "until_pd_or_next_line"
    celmod_group: Literal["IPC", "OTHER"] = "IPC"
    novel_partner_group: Literal["IPC", "OTHER"] = Field(
        default="IPC",
        description="Group of an IMiD, PI or anti-CD38 antibody with selinexor or venetoclax",
    )
    response_analysed: Literal["reported", "derived"] = Field(
        default="reported",
        description="Responses that are analysed: as centers report them, or derived from measurements "
        "by IMWG 2016; a response that cannot be derived is unknown then",
    )
    ne_counts_as_nonresponder: bool = True
    emd_without_imaging: Literal["no", "unknown"] = "no"
    mycare_ferritin_rule: (
        Literal["above_uln"] | Annotated[float, Field(gt=0, allow_inf_nan=False)]
    ) = Field(
        default="above_uln",
        description="Ferritin that counts for MyCARe: above the laboratory's upper limit, or above "
        "a number in ug/L",
    )
    impossible_definitions: dict[str, Literal["exclude", "missing"]] = Field(
        default={},
        description="Variable (table.column) → what to do with patients of centers whose definition "
        "of it is impossible: leave them out, or set it to missing",
    )
    partial_definitions: dict[str, Literal["exclude", "missing"]] = Field(
        default={}, description="The same for centers whose definition is partial"
    )
    days_per_month: float = Field(default=30.4375, gt=27, lt=32)

    @field_validator("early_relapse_months")
    @classmethod
    def _two_cut_offs(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        """One cut-off written twice would be printed as two results."""
        if len(set(value)) < len(value):
            raise ValueError("the two cut-offs of early relapse are the same")
        return value


class Group(Declared):
    """One of the groups that are compared."""

    code: str
    label: str


GROUPS = (
    Group(code="TALQ", label="Talquetamab"),
    Group(code="TEC", label="Teclistamab"),
    Group(code="IPC", label="IMiD/PI/CD38"),
    Group(code="OTHER", label="Other"),
)


class Privacy(Declared):
    """What published tables may show."""

    smallest_cell: int = Field(default=1, ge=1, description="Counts below this are not printed")
    shift_dates: bool = Field(
        default=False,
        description="Publish dates moved back by 1 to 364 days, each patient's by a number of its own; "
        "intervals and all results stay",
    )
    keep_history: int = Field(default=10, ge=1, description="Published states that are kept")


class Queries(Declared):
    """How questions go to the centers and come back."""

    release: Literal["by_hand", "at_once"] = Field(
        default="by_hand",
        description="New queries: the data manager releases them (carmony queries STUDY release), or "
        "the center is asked at once",
    )
    answers: Literal["read", "by_hand"] = Field(
        default="read",
        description="Answered workbooks in answers/<center>/: every run reads them, or only "
        "carmony queries STUDY import does",
    )


class Audit(Declared):
    """What the audit before publishing makes of the study's own knowledge (docs/audit.md)."""

    medians: dict[
        Annotated[str, Field(pattern=r"^(OS|PFS)(\.[A-Z0-9_]{1,20})?$")],
        tuple[
            Annotated[float, Field(ge=0, allow_inf_nan=False)],
            Annotated[float, Field(gt=0, allow_inf_nan=False)],
        ],
    ] = Field(
        default={},
        description="Plausible medians in months, lowest and highest: of an endpoint (OS, PFS), or of one "
        "group of it (OS.TEC; OS.ALL is the whole cohort)",
    )
    warn_only: tuple[str, ...] = Field(
        default=(),
        description="Checks whose stop is only a warning, once somebody has looked; of those that "
        "docs/audit.md names",
    )
    stop: tuple[str, ...] = Field(
        default=(), description="Checks that stop the publishing where they would only warn"
    )

    @field_validator("medians")
    @classmethod
    def _in_order(cls, value: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        """Bounds the wrong way round hold nothing."""
        for key, (low, high) in value.items():
            if low >= high:
                raise ValueError(f"the bounds of {key} are not in order: the lowest first")
        return value


class Study(Declared):
    """A study: identity, data cut, decisions, groups."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]{1,15}$", description="STUDYID")
    title: str
    data_cut: dt.date
    settings: Settings = Settings()
    groups: tuple[Group, ...] = Field(
        default=GROUPS, description="Codes of codelist salvage_group in order"
    )
    privacy: Privacy = Privacy()
    queries: Queries = Queries()
    notification: Notification = Notification()
    audit: Audit = Audit()
    analysis: str = Field(
        default="salvage_after_cart",
        description="Analysis plan of the report: the name of one that comes with Carmony, or a "
        "YAML file beside study.yaml",
    )
    centers: tuple[str, ...] | None = Field(
        default=None, description="Centers in report order; default by id"
    )

    _path: Path = PrivateAttr(default=Path())
    _hash: str = PrivateAttr(default="")

    @model_validator(mode="before")
    @classmethod
    def _group_map(cls, data: Any) -> Any:
        """Groups may be written as `CODE: label`."""
        if isinstance(data, dict) and isinstance(data.get("groups"), dict):
            groups = [{"code": code, "label": label} for code, label in data["groups"].items()]
            return {**data, "groups": groups}
        return data

    @field_validator("audit")
    @classmethod
    def _groups_of_medians(cls, value: Audit, facts: ValidationInfo) -> Audit:
        """Bounds of a group that is not there would guard nothing."""
        if "groups" not in facts.data:  # they are wrong themselves
            return value
        known = [*(group.code for group in facts.data["groups"]), "ALL"]
        for key in value.medians:
            _, dot, group = key.partition(".")
            if dot and group not in known:
                raise ValueError(
                    f"medians: {key}: there is no group {group}; groups: {', '.join(known)}"
                )
        return value

    @property
    def folder(self) -> Path:
        """The study's folder."""
        return self._path.parent

    @property
    def study_hash(self) -> str:
        """SHA-256 of `study.yaml`."""
        return self._hash

    @property
    def center_specs(self) -> tuple[Path, ...]:
        """The spec files of the study, in the declared order or by name."""
        found = {path.stem: path for path in sorted((self.folder / "centers").glob("*.yaml"))}
        order = [name for name in self.centers or () if name in found]
        return tuple(found[name] for name in [*order, *(n for n in found if n not in order)])
