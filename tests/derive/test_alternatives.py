"""What each alternative setting changes, against a derivation of all under that setting."""

from dataclasses import dataclass

import duckdb
import polars as pl
import pytest

from tests.derive.by_hand import PLAIN, create_core, hold_back, make_study
from warehouse import analysis
from warehouse.alternatives import add_alternatives, other_values
from warehouse.export_days import no_export_days

PATIENTS = "ABCDEFGHI"
TABLES = {
    "subject": "usubjid | country | sex\n" + "\n".join(f"MYE-DE01-{p} | DE | F" for p in PATIENTS),
    "infusion": "usubjid | infusion_number | product | infusion_date\n"
    + "\n".join(f"MYE-DE01-{p} | 1 | IDE | 2023-01-10" for p in PATIENTS),
    # A relapses on day 90: three months of 30 days.
    "relapse": "usubjid | relapse_number | relapse_date | emd\n"
    + "\n".join(
        f"MYE-DE01-{p} | 1 | {'2023-04-10' if p == 'A' else '2023-05-20'} | {'Y' if p == 'B' else 'N'}"
        for p in PATIENTS
    ),
    "treatment_line": """usubjid    | line_number | start_date | drugs
                         MYE-DE01-A | 1           | 2023-06-01 | talquetamab+teclistamab
                         MYE-DE01-B | 1           | 2023-06-01 | iberdomide+dexamethasone
                         MYE-DE01-C | 1           | 2023-06-01 | bortezomib+selinexor
                         MYE-DE01-D | 1           | 2023-06-01 | radiotherapy
                         MYE-DE01-D | 2           | 2023-06-21 | teclistamab
                         MYE-DE01-E | 1           | 2023-06    | talquetamab
                         MYE-DE01-E | 2           | 2023-09-01 | bortezomib
                         MYE-DE01-F | 1           | 2024-12-20 | radiotherapy
                         MYE-DE01-F | 2           | 2025-01-05 | carfilzomib
                         MYE-DE01-G | 1           | 2023-06-01 | teclistamab
                         MYE-DE01-H | 1           | 2023-05-25 | radiotherapy
                         MYE-DE01-H | 2           | 2023-07-10 | bortezomib
                         MYE-DE01-I | 1           | 2023-06-01 | carfilzomib""",
    "response": """usubjid    | line_number | kind        | response_date | category
                   MYE-DE01-A | 1           | BEST        | 2023-07-01    | VGPR
                   MYE-DE01-D | 2           | BEST        | 2023-07-20    | NE
                   MYE-DE01-E | 1           | ASSESSMENT  | 2023-07-01    | PR
                   MYE-DE01-E | 1           | PROGRESSION | 2023-08-01    | PD
                   MYE-DE01-E | 1           | ASSESSMENT  | 2023-08-20    | VGPR
                   MYE-DE01-E | 1           | ASSESSMENT  | 2023-10-01    | CR
                   MYE-DE01-G | 1           | ASSESSMENT  | 2023-06-20    | SD
                   MYE-DE01-H | 2           | PROGRESSION | 2023-09    | PD""",
    "follow_up": """usubjid    | last_contact_date | vital_status | death_date
                    MYE-DE01-A | 2024-02-01        | ALIVE        |
                    MYE-DE01-B | 2023-12-01        | DEAD         | 2023-12-01
                    MYE-DE01-C | 2024-02-01        | ALIVE        |
                    MYE-DE01-D | 2024-02-01        | ALIVE        |
                    MYE-DE01-E | 2024-02-01        | DEAD         | 2024-02
                    MYE-DE01-F | 2025-02-01        | ALIVE        |
                    MYE-DE01-G | 2023-10-11        | DEAD         | 2023-10-11
                    MYE-DE01-H | 2024-02-01        | ALIVE        |
                    MYE-DE01-I | 2024-02-01        | ALIVE        |""",
}
HELD = """usubjid    | held_table     | number | topic      | value | day
          MYE-DE01-I | response       | 1      | ASSESSMENT | CR    | 2023-07-01
          MYE-DE01-I | treatment_line | 2      |            |       | 2023-06-20
          MYE-DE01-G | response       | 1      | ASSESSMENT | PD    | 2023-09-01"""
KEYS = {"adsl": ["USUBJID"], "adtte": ["USUBJID", "PARAMCD"]}


def frame(con: duckdb.DuckDBPyConnection, statement: str) -> pl.DataFrame:
    """An answer; not by `pl()`, which needs pyarrow."""
    return pl.DataFrame(con.sql(statement))


def table(con: duckdb.DuckDBPyConnection, target: str) -> pl.DataFrame:
    """Adsl, or the times of the primary analysis."""
    where = " where ANALYSIS = 'PRIMARY'" if target == "adtte" else ""
    return frame(con, f"select * from analysis.{target}{where}").sort(KEYS[target])


def under(con: duckdb.DuckDBPyConnection, target: str, setting: str, value: str) -> pl.DataFrame:
    """The primary table with the rows of an alternative in the place of its own."""
    kept, keys = table(con, target), KEYS[target]
    rows = frame(
        con,
        f"select * exclude (SETTING, VALUE) from analysis.alternative_{target} "
        f"where SETTING = '{setting}' and VALUE = '{value}'",
    )
    kept = kept.join(rows, on=keys, how="anti")
    if target == "adsl":
        rows = rows.filter(pl.col("CHANGE") != "LEFT").drop("CHANGE")
    else:
        rows = rows.drop_nulls("AVAL")
    return pl.concat([kept, rows.select(kept.columns)]).sort(keys)


OTHERS = {"days_per_month": 30, "time_zero": "bridge", "response_analysed": "derived"}
NAMES = ("setting", "first_salvage", "timeline", "best_response", "extramedullary", "clock")


@dataclass(frozen=True)
class Varied:
    """A warehouse with its alternatives, and its temporary tables before and after they were derived."""

    con: duckdb.DuckDBPyConnection
    before: dict[str, pl.DataFrame]
    after: dict[str, pl.DataFrame]


def whole(settings: dict[str, object]) -> duckdb.DuckDBPyConnection:
    """The drawn patients, all derived under these settings."""
    con = duckdb.connect(config={"threads": 1})
    create_core(con, **{**PLAIN, **TABLES})
    hold_back(con, HELD)
    no_export_days(con)
    analysis.derive(con, make_study(**settings))
    return con


def varied(settings: dict[str, object]) -> Varied:
    """The same with its alternatives."""
    con = whole(settings)
    before = {name: frame(con, f"select * from {name} order by all") for name in NAMES}
    add_alternatives(con, make_study(**settings))
    after = {name: frame(con, f"select * from {name} order by all") for name in NAMES}
    return Varied(con, before, after)


@pytest.fixture(scope="module")
def default() -> Varied:
    return varied({})


@pytest.fixture(scope="module")
def others() -> Varied:
    return varied(OTHERS)


# Neither adsl nor adtte is made of these; one of them missing that is read would be an error.
NOT_COMPARED = ("toxicity_adtox", "staging_agreement", "imwg_depth", "adrs")
NOT_COMPARED += ("response_confirmed_{response_analysed}",)


def derive_what_is_compared(patch: pytest.MonkeyPatch) -> None:
    """The patients and the times of the primary analysis alone: all that is derived takes three times as long."""
    names = list(analysis.AFTER_LINES)
    kept = names[: names.index("exclusion")]
    steps = {name: analysis.AFTER_LINES[name] for name in kept if name not in NOT_COMPARED}
    patch.setattr(analysis, "AFTER_LINES", steps)
    patch.setattr(analysis, "add_completions", lambda *_: None)
    patch.setattr(analysis, "alternative_groups", lambda *_: pl.DataFrame({"not_compared": [1]}))
    patch.setattr(analysis, "comments", lambda _: ["select null"])


@pytest.mark.parametrize(
    ("name", "settings", "only"),
    [
        ("default", {}, ()),
        ("others", OTHERS, ("early_relapse_tie", "time_zero", "best_response_window")),
    ],
    ids=["default", "others"],
)
def test_every_alternative_is_what_deriving_all_under_it_gives(
    name, settings, only, request, monkeypatch
):
    con = request.getfixturevalue(name).con
    counts = {
        (row[0], row[1]): row[2:6]
        for row in con.execute("select * from analysis.alternative order by position").fetchall()
    }
    alternatives = list(other_values(make_study(**settings).settings))
    assert len(counts) == len(alternatives)
    own, own_times = table(con, "adsl"), table(con, "adtte").drop("AVALM")
    derive_what_is_compared(monkeypatch)
    for (setting, value), (text, numbers) in zip(alternatives, counts.items(), strict=True):
        assert text[0] == setting
        if only and setting not in only:
            continue
        other = whole({**settings, setting: value})
        expected, times = table(other, "adsl"), table(other, "adtte").drop("AVALM")
        assert under(con, "adsl", *text).equals(expected), text
        assert under(con, "adtte", *text).drop("AVALM").equals(times), text
        both = own.join(expected, on="USUBJID", how="semi").height
        assert numbers[1:3] == (expected.height - both, own.height - both)
        assert (sum(numbers) == 0) == (own.equals(expected) and own_times.equals(times))


def test_what_the_alternatives_change_is_what_was_drawn_for_them(default):
    con = default.con
    changed = {
        (setting, value): (n_changed, n_joined, n_left)
        for setting, value, n_changed, n_joined, n_left in con.execute(
            "select setting, value, n_changed, n_joined, n_left from analysis.alternative"
        ).fetchall()
    }
    assert changed["dual_bispecific", "TALQ"] == (1, 0, 0)
    assert changed["celmod_group", "OTHER"] == (1, 0, 0)
    assert changed["novel_partner_group", "OTHER"] == (1, 0, 0)
    # Without a bridge, D starts with radiotherapy, and F does so before the data cut.
    assert changed["bridge_days", "0"] == (1, 1, 0)
    # Radiotherapy of H is 46 days before bortezomib.
    assert changed["bridge_days", "60"] == (1, 0, 0)
    assert changed["early_relapse_tie", "late_if_equal"] == (0, 0, 0)  # no relapse on day 91.3
    assert changed["days_per_month", "30"][0] == table(con, "adsl").height
    best = con.execute(
        "select VALUE, BESTRESP from analysis.alternative_adsl "
        "where SETTING = 'best_response_window' and USUBJID = 'MYE-DE01-E' order by VALUE"
    ).fetchall()
    assert best == [("any_time", "CR"), ("until_next_line", "VGPR")]


@pytest.mark.parametrize("name", ["default", "others"])
def test_the_temporary_tables_are_as_they_were(name, request):
    made = request.getfixturevalue(name)
    for table_name in NAMES:
        assert made.after[table_name].equals(made.before[table_name]), table_name
    left = made.con.sql("select table_name from duckdb_tables() where temporary").fetchall()
    assert not [name for (name,) in left if name.startswith(("alternative_ad", "own_"))]


def test_every_column_has_the_label_of_the_table_that_it_comes_from(default):
    comments = default.con.execute(
        "select table_name, column_name, comment from duckdb_columns() where schema_name = 'analysis' "
        "and not internal and table_name in "
        "('adsl', 'adtte', 'alternative', 'alternative_adsl', 'alternative_adtte')"
    ).fetchall()
    known = {(table, column): comment for table, column, comment in comments}
    assert all(known.values())
    assert known["alternative_adsl", "GRP4"] == known["adsl", "GRP4"]
    assert known["alternative_adtte", "AVAL"] == known["adtte", "AVAL"]
