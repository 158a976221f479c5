"""What a cell with findings of cytogenetics says about one column of table risk.

A cell such as `del17p 15 %, t(4;14) neg` fills several columns. An abnormality that the cell does not
name stays empty: nobody says that it was looked for. Standard risk says that none of the three of the
R-ISS is there, and nothing about the others. What was not done is U: asked, not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transforms.harmonize.values.common import Row, error
from transforms.harmonize.values.cytogenetics import cytogenetic_rows

RULE = "STR-06"
HIGH_RISK = frozenset({"del_17p", "t_4_14", "t_14_16"})
_BY_STANDARD_RISK = HIGH_RISK | {"high_risk_cytogenetics"}
SHARE_OF = {"del_17p_share": "del_17p"}
FAMILY = ("cytogenetics", "cytogenetic_share")


def cytogenetic_column(
    texts: Sequence[str], column: str, missing: tuple[str, ...] = ()
) -> list[Row]:
    """Rows of the parser of cytogenetics with what they say about a column, under `said`.

    Args:
        texts: Distinct cells.
        column: Column of table risk: an abnormality (Y, N, U or null), or the share of one (%).
        missing: Declared missing tokens.

    Returns:
        The rows in order; a cell that contradicts itself is an error.
    """
    return [_said(row, column) for row in cytogenetic_rows(texts, missing)]


def _said(row: Row, column: str) -> Row:
    listed: Sequence[Mapping[str, Any]] = row.get("abnormalities") or ()
    found = {each["abnormality"]: each for each in listed}
    present = {name for name, each in found.items() if each["present"] == "Y"}
    if "standard_risk" in present and present & _BY_STANDARD_RISK:
        return error(RULE, "standard risk and a high-risk abnormality are named in one cell")
    if column in SHARE_OF:
        each = found.get(SHARE_OF[column])
        return {**row, "said": each["percent"] if each else None}
    if column in found:
        return {**row, "said": found[column]["present"]}
    if "not_done" in present:
        return {**row, "said": "U"}
    clear = "standard_risk" in present and column in _BY_STANDARD_RISK
    return {**row, "said": "N" if clear else None}
