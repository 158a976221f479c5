"""What must be said of the columns of a table: groups that are small, patients who are in none of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reports.displays.estimate import ALL, Estimate

SMALL_GROUP = "SMALL_GROUP"
UNPLACED = "UNPLACED"


def small_columns(
    display: str, labels: Mapping[str, str], sizes: Mapping[str, int], floor: int
) -> Iterator[Estimate]:
    """A row for each column of fewer patients than `floor`; columns without patients are told by their numbers.

    Args:
        display: Its id.
        labels: Population → label.
        sizes: Population → patients.
        floor: The plan's `small_group`.
    """
    for code, label in labels.items():
        if 0 < sizes[code] < floor:
            patients = "1 patient" if sizes[code] == 1 else f"{sizes[code]} patients"
            yield Estimate(
                display=display, population=code, population_label=label, row="WARNING",
                row_label="Caution", level=SMALL_GROUP, statistic="text", n=sizes[code],
                text=f"{label}: {patients}, fewer than {floor}; descriptive only.",
            )  # fmt: skip


def unplaced(display: str, by: str, sizes: Mapping[str, int]) -> Iterator[Estimate]:
    """A row that tells how many patients of `ALL` are in none of the groups; `by`: the label of the variable."""
    number = sizes[ALL] - sum(size for code, size in sizes.items() if code != ALL)
    if number:
        holds = "1 patient" if number == 1 else f"{number} patients"
        yield Estimate(
            display=display, row="WARNING", row_label="Caution", level=UNPLACED, statistic="text",
            n=number, text=f"All holds {holds} of no group: {by} is not known or none of its levels.",
        )  # fmt: skip
