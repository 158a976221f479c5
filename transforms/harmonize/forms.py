"""The form in which the text of a mapped column is written: from the spec to a `Form`."""

from __future__ import annotations

from schemas.errors import SpecError
from transforms.harmonize import values as parsers
from transforms.harmonize.fish import FAMILY
from transforms.harmonize.plan import ColumnPlan, MappingPlan, fill, value_headers
from transforms.harmonize.sources import nfc
from transforms.harmonize.values.units import find_quantity
from transforms.harmonize.verdicts import Form

# Whole numbers whose own rule asks about a value that is none; others fall under STR-06.
_RULE_OF = {"grade": "TOX-01", "ecog": "STG-11"}


def form_of(plan: MappingPlan, column: ColumnPlan) -> Form:
    """How a column's text is written; units that vary by row are filled in later."""
    spec, rule = plan.spec, column.rule
    missing = (*spec.missing, *rule.missing)
    dates = numbers = None
    if column.parser in ("date", "year", "regimen"):
        dates = parsers.DateFormat(
            order=rule.order or spec.dates.order,
            pivot=rule.pivot if rule.pivot is not None else spec.dates.pivot,
            excel_serials=rule.serials if rule.serials is not None else spec.dates.serials,
            date_system=_date_system(plan, column),
            missing=missing,
            language=spec.language,
            latest=plan.export_date,
        )
    elif column.parser in ("number", "integer", "ecog"):
        numbers = parsers.NumberFormat(
            decimal=rule.decimal or spec.numbers.decimal,
            grouping=rule.grouping or spec.numbers.grouping,
            unit=rule.unit if rule.unit is not None and "{" not in rule.unit else None,
            quantity=quantity_of(column),
            missing=missing,
            as_integer=column.parser != "number",
            rule_id=_RULE_OF.get(column.column.name),
        )
    own = {**(spec.codebooks[rule.codebook] if rule.codebook else {}), **(rule.map or {})}
    fish = column.parser in FAMILY
    return Form(
        parser=column.parser,
        codelist=column.column.name if fish else rule.vocabulary or column.column.codelist,
        own=tuple(own.items()),
        missing=missing,
        pattern=rule.regex.pattern if rule.regex else None,
        group=rule.regex.group if rule.regex else 1,
        unmatched=rule.regex.unmatched if rule.regex else "error",
        language=spec.language,
        dates=dates,
        numbers=numbers,
        precision=rule.precision,
        may_identify=_may_identify(plan, column),
        quiet=fish and _is_told_before(plan, column),
    )


def _may_identify(plan: MappingPlan, column: ColumnPlan) -> bool:
    """True if the source names all headers of the column under `allow`."""
    headers = {nfc(header) for header in value_headers(column.rule, {})}
    for block in plan.blocks:
        if column in block.columns:
            allowed = plan.spec.sources[block.block.source].allow
            return bool(headers) and headers <= {nfc(header) for header in allowed}
    return False


def _is_told_before(plan: MappingPlan, column: ColumnPlan) -> bool:
    """True if an earlier column of the block reads the same cell of cytogenetics."""
    for block in plan.blocks:
        for other in block.columns if column in block.columns else ():
            if other is column:
                return False
            same = value_headers(other.rule, {}) == value_headers(column.rule, {})
            if other.parser in FAMILY and same and other.rule.regex == column.rule.regex:
                return True
    return False


def quantity_of(column: ColumnPlan) -> str | None:
    """The measured quantity of a number column; None where the row's test decides, or none is known."""
    if column.parser != "number":
        return None
    known = parsers.load_quantities()
    return column.column.name if parsers.match_key(column.column.name) in known else None


def check_units(plan: MappingPlan) -> None:
    """Refuses declared units that are not known for their quantity.

    Raises:
        SpecError: Names the block, the column, the unit and the quantity's own unit.
    """
    for block in plan.blocks:
        test = block.block.columns.get("test") if block.table.name == "lab" else None
        for column in block.columns:
            if column.rule.unit is None or column.parser != "number":
                continue
            for words in block.bindings:
                unit = fill(column.rule.unit, words)
                quantity = quantity_of(column)
                if test is not None:
                    quantity = fill(test.constant, words) if test.constant else None
                _check_unit(plan, f"{block.name}, {column.column.name}", quantity, unit)


def _check_unit(plan: MappingPlan, place: str, quantity: str | None, unit: str) -> None:
    known = find_quantity(quantity)
    if known is not None and parsers.find_conversion(known.name, unit) is None:
        raise SpecError(
            f"{plan.spec.path.name}: tables, {place}: unit '{unit}' is not known for {quantity}, "
            f"which is kept in {known.canonical_unit}",
            fix="correct the unit; schemas/vocabularies/units.csv lists those that are known",
        )


def _date_system(plan: MappingPlan, column: ColumnPlan) -> int:
    for block in plan.blocks:
        if column in block.columns:
            for source in plan.opened(block.block.source):
                if source.reader.info.date_system is not None:
                    return source.reader.info.date_system
    return 1900
