"""Every record of a folder, computed and compared; sums per analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reports.golden import competing, curves, models, tables
from reports.golden.compare import CLOSED, INFORMATIONAL, ITERATED, Difference, compare
from reports.golden.curves import Result
from reports.golden.records import CURVES, GoldenSet, Record

# R's own fit says that it did not converge: what it prints is no number to equal.
GAVE_UP = "R did not converge, and here it is not estimable"
MATCHED, DIFFERING, UNSUPPORTED = "matched", "differing", "unsupported"


@dataclass(frozen=True)
class Analysis:
    """How a kind of result is computed, and how exactly it must agree."""

    compute: Callable[[GoldenSet, Record], Result]
    relative: float = CLOSED


ANALYSES = {
    "km_quantiles": Analysis(curves.km_quantiles),
    "km_at_times": Analysis(curves.km_at_times),
    CURVES: Analysis(curves.km_curve),
    "reverse_km": Analysis(curves.reverse_km),
    "rmst": Analysis(curves.rmst),
    "rmst_diff": Analysis(curves.rmst_diff),
    "logrank": Analysis(curves.logrank),
    "logrank_pairwise": Analysis(curves.logrank_pairwise),
    "p_adjust": Analysis(curves.p_adjust),
    "coxph": Analysis(models.coxph, ITERATED),
    "cause_specific_cox": Analysis(models.cause_specific_cox, ITERATED),
    "cox_tvc": Analysis(models.cox_tvc, ITERATED),
    "cox_term_lrt": Analysis(models.cox_term_lrt, ITERATED),
    "cox_zph": Analysis(models.zph, ITERATED),
    "subgroup_forest": Analysis(models.subgroup_forest, ITERATED),
    "cox_frailty": Analysis(models.frailty, INFORMATIONAL),
    "interaction": Analysis(models.interaction, ITERATED),
    "table1_categorical": Analysis(tables.categorical),
    "table1_continuous": Analysis(tables.continuous),
    "binomial_ci": Analysis(tables.binomial_ci),
    "cuminc": Analysis(competing.cuminc),
    "aalen_johansen": Analysis(competing.aalen_johansen_states),
    "gray_test": Analysis(competing.gray),
    "crr": Analysis(competing.crr, ITERATED),
    "finegray_coxph": Analysis(competing.finegray_coxph, ITERATED),
}


@dataclass(frozen=True)
class Checked:
    """One record with its verdict; `reason` says why it could not be computed, `note` what a match rests on."""

    record: Record
    verdict: str
    n_compared: int = 0
    worst: float = 0.0
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    note: str = ""


def check(sets: list[GoldenSet]) -> Iterator[Checked]:
    """Each record of the sets with its verdict; nothing raises."""
    for golden in sets:
        for record in golden.records:
            yield check_record(golden, record)


def check_record(golden: GoldenSet, record: Record) -> Checked:
    """One record, computed and compared."""
    analysis = ANALYSES.get(record.analysis)
    if analysis is None:
        return Checked(record, UNSUPPORTED, reason="no such analysis here")
    try:
        ours = analysis.compute(golden, record)
    except Exception as error:  # A form that is not known is reported, and the other records go on.
        return Checked(record, UNSUPPORTED, reason=f"{type(error).__name__}: {error}")
    outcome = compare(ours, record.scalars, record.rows, analysis.relative)
    verdict = DIFFERING if outcome.differences else MATCHED
    return Checked(
        record,
        verdict,
        outcome.n_compared,
        outcome.worst,
        outcome.differences,
        note=GAVE_UP if outcome.gave_up else "",
    )
