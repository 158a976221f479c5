"""Headers to described columns, with the REDCap data dictionary if the spec names one."""

from __future__ import annotations

from collections.abc import Sequence

from transforms.read.headers import checked_names
from transforms.read.source import Source
from transforms.read.tables import ColumnInfo, ReadOptions


def columns_of(
    source: Source, header: Sequence[str], options: ReadOptions, sheet: str | None = None
) -> tuple[ColumnInfo, ...]:
    """The columns of a table.

    Raises:
        FileError: DUPLICATE_COLUMN, TOO_MANY_COLUMNS, or what is wrong with the dictionary.
    """
    if options.dictionary is None:
        names = checked_names(source, header, options.limits.columns, sheet)
        return tuple(ColumnInfo(name, at) for at, name in enumerate(names, 1))
    from transforms.read.redcap import described, read_dictionary, unique_header

    fields = read_dictionary(options.dictionary)
    names = checked_names(source, unique_header(header, fields), options.limits.columns, sheet)
    return described([ColumnInfo(name, at) for at, name in enumerate(names, 1)], fields)
