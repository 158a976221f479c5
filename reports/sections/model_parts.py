"""What the parts of a section of models share: which models there are, and their variables."""

from __future__ import annotations

from typing import Any

from reports.sections.model import ALL, Rows

RATIO = "Hazard ratio (95% CI)"
EVERY = ""
MODEL_ROWS = ("N", "EVENTS", "DROPPED", "EVENTS_PER_PARAMETER", "CONCORDANCE", "GLOBAL")
OTHER_ROWS = (
    *MODEL_ROWS,
    "CONTRAST",
    "WARNING",
    "PH",
    "RESIDUAL",
    "SMOOTH",
    "MEDIAN",
    "MEDIAN_GROUP",
)


def models(rows: Rows) -> dict[str, str]:
    """Code → label of the models in order."""
    return rows.labels(statistic="hr")


def variables(rows: Rows, codes: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Variable → its rows of hazard ratios, each level once, over some models.

    A variable that only a later model has stands before the one that follows it there.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    order: list[str] = []
    for code in codes:
        ratios = rows.of(statistic="hr", population=code)
        mine = list(dict.fromkeys(row["row"] for row in ratios if row["row"] not in OTHER_ROWS))
        for k, name in enumerate(mine):
            if name not in order:
                following = [order.index(other) for other in mine[k + 1 :] if other in order]
                order.insert(min(following, default=len(order)), name)
        for row in (row for row in ratios if row["row"] in mine):
            levels = found.setdefault(row["row"], [])
            if row["level"] not in [other["level"] for other in levels]:
                levels.append(row)
    return {name: found[name] for name in order}


def of_models(text: str, of: list[str], n_models: int) -> str:
    """A sentence with the models that it is about, unless it is about all."""
    return text if len(of) >= n_models or EVERY in of else f"{'; '.join(of)}: {text}"


def about_sensitivity(rows: Rows) -> tuple[str, ...]:
    """Sentences of the primary model that are about its variants."""
    codes = {row["level"] for row in rows.of(population=ALL, row="WARNING")}
    own = ("NOT_RUN", "EARLIEST", "LATEST", "ERRORS", "SAME_SETTINGS")
    return tuple(code for code in codes if code.startswith(own))
