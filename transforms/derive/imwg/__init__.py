"""The IMWG response of every assessment, from measurements, for all patients at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from transforms.derive.imwg.category import categorize
from transforms.derive.imwg.confirm import BEST, best_of_lines, confirm, named
from transforms.derive.imwg.criteria import Criteria, load_criteria
from transforms.derive.imwg.frame import prepare, require_columns
from transforms.derive.imwg.levels import element_levels, measurable
from transforms.derive.imwg.progression import progression
from transforms.derive.imwg.reported import confirm_reported

__all__ = [
    "ASSESSED",
    "Criteria",
    "ImwgResponse",
    "confirm_reported",
    "derive_response",
    "load_criteria",
]

ASSESSED = pl.Schema(
    {
        "patient_id": pl.String(),
        "line_number": pl.Int32(),
        "assessed_on": pl.Date(),
        "kind": pl.String(),
        "category": pl.String(),
        "criterion": pl.String(),
        "missing": pl.String(),
        "pd_basis": pl.String(),
        "measure": pl.String(),
        "baseline_value": pl.Float64(),
        "value": pl.Float64(),
        "nadir": pl.Float64(),
        "change_percent": pl.Float64(),
        "rise": pl.Float64(),
        "confirmed_category": pl.String(),
        "confirmation": pl.String(),
        "confirmation_days": pl.Int32(),
        "warning": pl.String(),
    }
)
_MEASURES = {"SERUM": "serum", "URINE": "urine", "FLC": "dflc", "MARROW": "marrow"}


@dataclass(frozen=True, slots=True)
class ImwgResponse:
    """What was derived, with the version of the criteria that it was derived by."""

    assessments: pl.DataFrame
    lines: pl.DataFrame
    version: str


def derive_response(
    assessments: pl.DataFrame, criteria: Criteria | None = None, *, relapsed: bool = True
) -> ImwgResponse:
    """The response at each assessment, its confirmation, and the best response of each line.

    Args:
        assessments: one row per patient, line and day. Required: `patient_id`, `line_number`,
            `assessed_on`. The others may be absent or null, which means not known: `line_start`,
            `next_line_on` (dates); `is_baseline` (else the last row up to `line_start` is the
            baseline); `m_serum` (g/L), `m_urine` (mg/24h), `flc_kappa`, `flc_lambda` (mg/L),
            `flc_ratio` (goes before kappa / lambda if the column is there), `involved_chain`
            (KAPPA or LAMBDA; else by the ratio at baseline), `ife_serum`, `ife_urine` (NEGATIVE,
            POSITIVE), `marrow` (% plasma cells), `marrow_by_flow`, `clonal_marrow` (NEGATIVE: no
            clonal cells), `plasmacytoma_spd` (mm2; 0: none left), `plasmacytoma_before` (one is known, of whatever size; any row of
            the line), `n_lesions`, `lesion_diameter`
            and `lesion_short_axis` (mm), `new_lesion`, `progression_basis` (IMAGING or CLINICAL
            as reported make a progression, measured ones are shown by the numbers).
        criteria: default IMWG 2016.
        relapsed: whether minimal response is a category.

    Returns:
        `assessments`: columns `ASSESSED`, the rows of the input in their order; rows up to the
        baseline and rows without a date have no category. `lines`: see `best_of_lines`.

    Raises:
        ValueError: A required column is missing, or a line has two rows on one day.

    Source:
        Dossier section 1; docs/imwg.md says how each sentence was read.
    """
    chosen = criteria or load_criteria()
    require_columns(assessments)
    undated = _undated(assessments)
    if undated.height == assessments.height:
        return ImwgResponse(_in_input_order([undated]), pl.DataFrame(schema=BEST), chosen.version)
    frame = prepare(assessments, chosen)
    frame = frame.with_columns(*measurable(chosen))
    frame = frame.with_columns(*element_levels(chosen), *progression(chosen))
    frame = confirm(categorize(frame, relapsed), chosen)
    lines = best_of_lines(frame)
    frame = frame.with_columns(_measure().alias("measure")).with_columns(*_numbers())
    frame = frame.with_columns(
        change_percent=pl.when(pl.col("baseline_value") > 0).then(
            100 * (pl.col("value") - pl.col("baseline_value")) / pl.col("baseline_value")
        ),
        rise=pl.col("value") - pl.col("nadir"),
        category=named(pl.col("level")),
        confirmed_category=named(pl.col("confirmed_level")),
    )
    rows = _in_input_order([frame.select("index", *ASSESSED), undated])
    return ImwgResponse(rows, lines, chosen.version)


def _undated(assessments: pl.DataFrame) -> pl.DataFrame:
    """The rows without a date, of which nothing can be said."""
    undated = assessments.with_row_index("index").filter(pl.col("assessed_on").is_null())
    return undated.select(
        "index", "patient_id", "line_number", "assessed_on", criterion=pl.lit("NO_DATE")
    )


def _in_input_order(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Columns `ASSESSED` of rows that carry their `index`; a column that a part has not is null."""
    rows = pl.concat([pl.DataFrame(schema=ASSESSED), *parts], how="diagonal_relaxed").sort("index")
    return rows.select(pl.col(name).cast(dtype) for name, dtype in ASSESSED.items())


def _measure() -> pl.Expr:
    """The test whose numbers are shown: the deciding one, else the measure of the disease."""
    return pl.coalesce(
        pl.when(pl.col("criterion").is_in(list(_MEASURES))).then("criterion"),
        pl.when(pl.col("kind").is_in(["SERUM", "SERUM_URINE"])).then(pl.lit("SERUM")),
        pl.when(pl.col("kind").is_in(["URINE", "FLC", "MARROW"])).then("kind"),
    )


def _numbers() -> list[pl.Expr]:
    def of_measure(prefix: str) -> pl.Expr:
        return pl.coalesce(
            pl.when(pl.col("measure") == measure).then(f"{prefix}{name}")
            for measure, name in _MEASURES.items()
        )

    return [
        of_measure("base_").alias("baseline_value"),
        of_measure("").alias("value"),
        of_measure("nadir_").alias("nadir"),
    ]
