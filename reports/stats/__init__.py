"""Statistics of the report, equal to R (docs/statistics.md): arrays or frames in, numbers or frames out.

`from reports.stats import cox, kaplan_meier, fine_gray` works on any data; a name is loaded when it is used, because
lifelines and scipy cost seconds to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# These bear the names of their modules: they are bound here, before anybody loads the modules by name.
from reports.stats.concordance import concordance
from reports.stats.of_frames import kaplan_meier

HOMES = {
    "reverse_kaplan_meier": "kaplan_meier",
    "restricted_mean": "rmst",
    "mean_difference": "rmst",
    "log_rank": "of_frames",
    "pairwise_log_rank": "logrank",
    "merge_close_times": "times",
    "merge_close_intervals": "times",
    "cox": "hazards.model",
    "cox_zph": "hazards.zph",
    "drop_one": "hazards.compare",
    "contrast": "hazards.compare",
    "all_contrasts": "hazards.compare",
    "robust_score": "hazards.residuals",
    "scaled_schoenfeld": "hazards.residuals",
    "firth": "hazards.firth",
    "shared_frailty": "hazards.frailty",
    "cumulative_incidence": "competing.on_frames",
    "incidence_at": "competing.incidence",
    "aalen_johansen": "competing.aalen_johansen",
    "states_at": "competing.aalen_johansen",
    "gray_test": "competing.on_frames",
    "fine_gray": "competing.on_frames",
    "subdistribution_cox": "competing.fine_gray_cox",
    "chi_squared": "exact.contingency",
    "fisher": "exact.fisher",
    "wilcoxon": "exact.ranks",
    "kruskal_wallis": "exact.ranks",
    "welch": "exact.means",
    "describe": "exact.means",
    "clopper_pearson": "exact.proportions",
    "wilson": "exact.proportions",
    "adjusted": "exact.adjust",
}
__all__ = [*HOMES, "concordance", "kaplan_meier"]


def __getattr__(name: str) -> Any:
    if name in HOMES:
        found = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})
