"""The response criteria as data: one YAML file per version of the criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from schemas.errors import StudyError
from schemas.yaml_source import YamlFile, read_yaml

IMWG_2016 = Path(__file__).parents[3] / "schemas" / "vocabularies" / "imwg_2016.yaml"
NADIRS = ("lowest", "lowest_confirmed")
_SECTIONS = {
    "measurable": ("serum", "urine", "flc_involved", "marrow"),
    "flc_ratio": ("low", "high"),
    "reduction": (
        "serum_vgpr",
        "serum_pr",
        "serum_mr",
        "urine_pr",
        "urine_mr",
        "flc_vgpr",
        "flc_pr",
        "marrow_pr",
        "plasmacytoma",
    ),
    "below": ("urine_vgpr", "urine_pr", "marrow_cr"),
    "progression": (
        "relative",
        "serum",
        "serum_high_nadir",
        "serum_high_rise",
        "urine",
        "flc",
        "marrow",
        "lesion",
        "lesion_short_axis",
    ),
    "confirmation": ("late_after_days", "not_evaluable_run"),
}


@dataclass(frozen=True, slots=True)
class Criteria:
    """One version of the criteria; units and meaning stand in the YAML file.

    Attributes:
        version: what results are labelled with; versions are never mixed in one table.
        nadir: `lowest` or `lowest_confirmed`.
        measurable: least value at baseline, per test.
        flc_ratio: `low` and `high` of the normal ratio.
        reduction: least fall from baseline in percent, per test and category.
        below: values that must not be reached.
        progression: rises over the nadir.
        confirmation: what is marked about confirming assessments.
    """

    version: str
    nadir: str
    measurable: Mapping[str, float]
    flc_ratio: Mapping[str, float]
    reduction: Mapping[str, float]
    below: Mapping[str, float]
    progression: Mapping[str, float]
    confirmation: Mapping[str, float]


@cache
def load_criteria(path: Path = IMWG_2016) -> Criteria:
    """The criteria of a file.

    Raises:
        StudyError: The file is no YAML, a key is missing or unknown, or a threshold is no number.
    """
    file = read_yaml(path, StudyError)
    data: dict[str, Any] = file.data if isinstance(file.data, dict) else {}
    _compare_keys(file, (), data, {"version", "source", "nadir", *_SECTIONS})
    if data["nadir"] not in NADIRS:
        raise StudyError(
            f"{path.name}, line {file.line(('nadir',))}: nadir is '{data['nadir']}'",
            fix=f"write one of {', '.join(NADIRS)}",
        )
    sections = {name: _numbers(file, name, keys) for name, keys in _SECTIONS.items()}
    return Criteria(version=data["version"], nadir=data["nadir"], **sections)


def _numbers(file: YamlFile, section: str, keys: tuple[str, ...]) -> Mapping[str, float]:
    written = file.data[section]
    if not isinstance(written, dict):
        raise StudyError(f"{file.path.name}, line {file.line((section,))}: {section} has no values")
    _compare_keys(file, (section,), written, set(keys))
    numbers: dict[str, float] = {}
    for key in keys:
        try:
            numbers[key] = float(written[key])
        except (TypeError, ValueError):
            raise StudyError(
                f"{file.path.name}, line {file.line((section, key))}: {section}.{key} is no number"
            ) from None
    return MappingProxyType(numbers)


def _compare_keys(
    file: YamlFile, place: tuple[str, ...], written: dict[str, Any], expected: set[str]
) -> None:
    wrong = sorted(expected.symmetric_difference(written))
    if wrong:
        key = wrong[0]
        problem = "is missing" if key in expected else "is not known"
        raise StudyError(
            f"{file.path.name}, line {file.line((*place, key))}: '{'.'.join((*place, key))}' {problem}"
        )
