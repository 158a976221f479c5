"""Group sizes under other decisions: rows of the estimates and what the page prints."""

import duckdb
import polars as pl

from reports.displays import group_sizes
from reports.displays.data import AnalysisData
from reports.displays.estimate import to_frame
from reports.sections.frame import group_size_table
from reports.sections.model import Line, Rows


def test_each_alternative_is_a_line_and_the_chosen_one_stands_out():
    con = duckdb.connect()
    con.execute("create schema analysis")
    con.execute(
        "create table analysis.group_size as select * from (values "
        "('celmod_group', 'IPC', 'Y', 'IPC', 43, 0, 1), ('celmod_group', 'IPC', 'Y', 'OTHER', 31, 0, 1), "
        "('celmod_group', 'OTHER', 'N', 'IPC', 42, 0, 2), ('celmod_group', 'OTHER', 'N', 'OTHER', 32, 1, 2)"
        ") as t(setting, value, chosen, GRP4, n_patients, n_joined, position)"
    )
    empty = pl.DataFrame()
    data = AnalysisData(empty, empty, empty, empty, group_sizes=group_sizes.read(con))
    groups = {"IPC": "IMiD/PI/CD38", "OTHER": "Other"}
    frame = to_frame(list(group_sizes.group_sizes(data, groups)))
    table = group_size_table(Rows(list(frame.iter_rows(named=True))))
    assert table.heads == ("IMiD/PI/CD38", "Other")
    told = "Iberdomide or mezigdomide alone counts as"
    assert table.lines == (
        Line(f"{told}: IPC (chosen)", ("43", "31"), is_head=True),
        Line(f"{told}: OTHER", ("42", "32")),
    )


def test_every_setting_that_can_move_a_group_has_its_words():
    from transforms.derive.group_sizes import ALTERNATIVES

    assert group_sizes.LABELS.keys() == ALTERNATIVES.keys()


def test_a_file_without_the_table_has_no_alternatives():
    assert group_sizes.read(duckdb.connect()) == ()
