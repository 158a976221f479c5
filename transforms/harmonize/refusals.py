"""What a spec says that cannot be: the whole delivery is refused before a row is read.

Rules whose scope is the file and that no row could show: the day of the export (DAT-28), and one
column that stands for extramedullary disease both before CAR-T and at relapse (EMD-08).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from schemas.delivery import Delivery
from schemas.errors import SpecError
from schemas.spec import CenterSpec

# The first approval of a product of the study anywhere (vocabularies/approval_dates.csv).
FIRST_APPROVAL = dt.date(2021, 3, 26)
BASELINE = (("risk", "emd_before_car_t"),)
AT_RELAPSE = (("relapse", "emd"), ("relapse", "emd_type"))


def export_day(spec: CenterSpec, delivery: Delivery) -> dt.date:
    """The day of the export, on which every check of dates that lie too late rests.

    Raises:
        SpecError: The declared day lies before the first approval or after the delivery came.
    """
    if spec.export_date == "delivery":
        return delivery.received_on
    if not FIRST_APPROVAL <= spec.export_date <= delivery.received_on:
        raise SpecError(
            f"key 'export_date': {spec.export_date} does not lie between {FIRST_APPROVAL}, the first "
            f"approval of a product, and {delivery.received_on}, when the delivery came [DAT-28]",
            fix="ask the center for the day of its export, and write it into the spec",
        )
    return spec.export_date


def refuse_shared_emd(spec: CenterSpec) -> None:
    """Extramedullary disease before CAR-T and at relapse are two facts, from two columns.

    A column that tells one or the other by the row (a block with `where`) is none of this.

    Raises:
        SpecError: One column is mapped to both.
    """
    shared = set(_columns(spec, BASELINE)) & set(_columns(spec, AT_RELAPSE))
    for source, column in sorted(shared):
        raise SpecError(
            f"source '{source}', column '{column}': it is mapped to extramedullary disease before CAR-T "
            "and at relapse [EMD-08]",
            fix="ask the center at which time it was assessed, and map it to that one",
        )


def _columns(spec: CenterSpec, wanted: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
    """Source and header of every column that is read for the canonical columns, for all rows."""
    for block in spec.tables:
        if block.where is not None or block.repeat is not None:
            continue
        for table, name in wanted:
            rule = block.columns.get(name) if block.table == table else None
            if rule is not None:
                headers = (rule.column, rule.at, *(rule.coalesce or ()))
                yield from ((block.source, header) for header in headers if header is not None)
