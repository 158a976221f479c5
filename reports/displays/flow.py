"""Who is in the cohort and why not, and the methods that the report prints."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from reports.displays.data import AnalysisData
from reports.displays.estimate import ALL, Estimate, number_text
from schemas.spec.plans import plan_file

if TYPE_CHECKING:
    from schemas.spec.plan import Plan
    from schemas.spec.study import Study

WINDOWS = {
    "until_pd_or_next_line": "until the first progression or the next line, whichever is first",
    "until_pd": "until the first progression",
    "until_next_line": "until the next line",
    "any_time": "at any time",
}
PFS_CENSORING = {
    "last_contact": "the last day known alive",
    "last_assessment": "the last assessment of response, at the start where there is none",
}


def attrition(data: AnalysisData) -> Iterator[Estimate]:
    """Rows of ATTRITION: every step for every center and for all."""
    totals = data.attrition.group_by("step", "reason", "label", maintain_order=True).agg(
        pl.col("n_patients").sum()
    )
    frames = [
        totals.sort("step").with_columns(center_id=pl.lit(ALL)),
        data.attrition.select("step", "reason", "label", "n_patients", "center_id"),
    ]
    for frame in frames:
        for step, reason, label, number, center in frame.iter_rows():
            yield Estimate(
                display="ATTRITION",
                population=center,
                population_label="All centers" if center == ALL else center,
                row=reason or ("DELIVERIES" if step == 0 else "COHORT"),
                row_label=label,
                statistic="n",
                value=float(number),
                n=int(number),
                text=str(int(number)),
            )


def cohort(data: AnalysisData) -> Iterator[Estimate]:
    """The row of COHORT: how many patients the report is about."""
    size = data.adsl.height
    yield Estimate(
        display="COHORT", row="N", statistic="n", value=float(size), n=size, text=str(size)
    )


def methods(study: Study) -> Iterator[Estimate]:
    """Rows of METHODS: what was decided and computed, one sentence each."""
    for row, text in _sentences(study).items():
        yield Estimate(display="METHODS", row=row, statistic="text", text=text)
    yield from settings_in_force(study)


# What is fitted by the kinds of displays that a plan has.
OF_KINDS = {
    "models": (
        ("model", "forest"),
        "Hazard ratios: Cox models, ties by Efron; Wald intervals and P values of levels, likelihood-ratio"
        " tests of whole variables. Proportional hazards: score test against 1 - Kaplan-Meier (Grambsch and"
        " Therneau). Where a level has no event its ratio is not estimable; one penalized by Firth may stand beside it.",
    ),
    "competing": (
        ("competing",),
        "Cumulative incidence with a competing event: Aalen-Johansen; groups are compared with Gray's test,"
        " by Fine and Gray's subdistribution hazards and by cause-specific Cox models.",
    ),
}


def methods_of_plan(plan: Plan) -> Iterator[Estimate]:
    """Rows of METHODS on what the displays of a plan fit."""
    kinds = {display.kind for display in plan.displays}
    for row, (of, text) in OF_KINDS.items():
        if not kinds.isdisjoint(of):
            yield Estimate(display="METHODS", row=row, statistic="text", text=text)


def settings_in_force(study: Study) -> Iterator[Estimate]:
    """Rows SETTING of METHODS: every decision of the study with its value; `level_label` where it is not the default."""
    defaults = type(study.settings)().model_dump(mode="json")
    for name, value in {
        **study.settings.model_dump(mode="json"),
        "analysis": study.analysis,
    }.items():
        usual = defaults.get(name, type(study).model_fields["analysis"].default)
        yield Estimate(
            display="METHODS",
            row="SETTING",
            row_label="Analysis plan" if name == "analysis" else name.replace("_", " "),
            level=name,
            level_label=None if value == usual else "not the default",
            statistic="text",
            text=_setting(value),
            method=f"sha256 {plan_digest(study)}" if name == "analysis" else None,
        )


def plan_digest(study: Study) -> str:
    """SHA-256 of the analysis plan that a study names. Raises StudyError where there is none."""
    return hashlib.sha256(plan_file(study).read_bytes()).hexdigest()


def _setting(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {of}" for key, of in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(_setting(of) for of in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)


def _sentences(study: Study) -> dict[str, str]:
    settings = study.settings
    month = number_text(settings.days_per_month, 4)
    cut_offs = " and ".join(f"{months:g}" for months in sorted(settings.early_relapse_months))
    tie = "on or before" if settings.early_relapse_tie == "early_if_equal" else "before"
    bridge = (
        "the first systemic salvage; a bridge before it does not start the clock"
        if settings.time_zero == "systemic"
        else "the bridge where there is one, else the first systemic salvage"
    )
    return {
        "title": study.title,
        "data_cut": f"Data cut {study.data_cut.isoformat()}. Events after it are not counted.",
        "cohort": (
            "Cohort: patients with a first infusion of commercial ide-cel or cilta-cel, a relapse"
            " after it and at least one salvage line. Patients whom the checks held back or screened out"
            " are not in the warehouse; quality.ledger counts them."
        ),
        "time_zero": (
            f"Time zero of overall survival is {bridge}. A bridge is radiotherapy, a steroid pulse or"
            f" one alkylator within {settings.bridge_days} days before a systemic line."
        ),
        "months": f"Months are days divided by {month}; analyses use whole days.",
        "partial_dates": (
            "Partial dates are imputed inside the window that the other dates leave: starts to the"
            " middle of the month, events to the first possible day; flags are in the warehouse."
        ),
        "censoring": (
            "Patients alive are censored at the last day known alive. A further line of therapy does"
            " not censor overall survival. Without progression and death, progression-free survival is"
            f" censored at {PFS_CENSORING[settings.pfs_censoring]}."
        ),
        "survival": (
            "Survival: Kaplan-Meier. Pointwise intervals and medians use the log transform (95%)."
            " The median is the first time at which survival is below 0.5, or the middle of a flat"
            " stretch at 0.5; its interval inverts the confidence curve. NR: not reached."
            " Number at risk: patients whose time is at least the tick."
        ),
        "follow_up": "Median follow-up: reverse Kaplan-Meier.",
        "tests": (
            "Groups are compared with the log-rank test, Pearson's chi-squared test without"
            " continuity correction and the Kruskal-Wallis test (Mann-Whitney for two groups)."
            " All P values are two-sided; where several pairs or subgroups are tested, those adjusted by Holm"
            " stand beside the raw ones. P values of Table 1 are descriptive."
        ),
        "sparse": ("† An expected count is below 5: the chi-squared test is approximate."),
        "missing": "Missing values are counted in their own row, outside percentages and tests.",
        "response": _response(study),
        "groups": (
            "Groups follow the drugs of the first salvage. Talquetamab together with teclistamab:"
            f" {settings.dual_bispecific}. Iberdomide and mezigdomide: {settings.celmod_group}."
            f" Selinexor or venetoclax with another backbone: {settings.novel_partner_group}."
        ),
        "refractory": (
            "Triple-class refractory: to an IMiD, a proteasome inhibitor and an anti-CD38 antibody;"
            " penta-refractory: to two, two and one. From drugs, else as the center reported."
        ),
        "risk": (
            "R-ISS and MyCARe as reported. What measurements give is in the warehouse beside it; there,"
            " ferritin counts for MyCARe if it is above "
            + (
                "the laboratory's upper limit."
                if settings.mycare_ferritin_rule == "above_uln"
                else f"{settings.mycare_ferritin_rule:g} ug/L."
            )
        ),
        "emd": (
            "Extramedullary disease: extraosseous or CNS lesions; para-osseous lesions alone do not"
            " count. No report of imaging: "
            + ("unknown." if settings.emd_without_imaging == "unknown" else "kept as reported.")
        ),
        "definitions": _definitions(study),
        "early": f"Early relapse: {tie} {cut_offs} months after infusion.",
    }


def _response(study: Study) -> str:
    """Which responses are analysed, and what becomes of patients without one."""
    settings = study.settings
    window = WINDOWS[settings.best_response_window]
    if settings.response_analysed == "derived":
        chosen = (
            f"Responses analysed: derived from measurements by IMWG 2016. Best response to the first"
            f" salvage: the best derived category {window}, not after a derived progression where a"
            " progression ends the window; sCR counts as CR. Where no category can be derived the response is"
            " unknown, whatever was reported, and the patient is left out of rates and of times from or"
            " to response. Progressions are as reported."
        )
    else:
        missing = (
            "Missing and not evaluable responses count as less than PR."
            if settings.ne_counts_as_nonresponder
            else "Patients without an evaluable response are left out."
        )
        chosen = (
            "Responses analysed: as reported. Best response to the first salvage as reported, else the"
            f" best assessment {window}; sCR counts as CR. {missing}"
        )
    return f"{chosen} Intervals of rates: Clopper-Pearson."


def _definitions(study: Study) -> str:
    """What the study makes of centers that define a variable otherwise."""
    settings = study.settings
    words = {"exclude": "patients are left out", "missing": "it is set to missing"}
    chosen = [
        f"{variable} is {status}: {words[use]}"
        for status, uses in (
            ("impossible", settings.impossible_definitions),
            ("partial", settings.partial_definitions),
        )
        for variable, use in uses.items()
    ]
    if not chosen:
        return "Centers that define a variable otherwise are analysed like all others."
    return f"Where a center's definition of {'; of '.join(chosen)}."
