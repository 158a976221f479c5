"""Where a finding says that its fields stand."""

from __future__ import annotations

import datetime as dt

import polars as pl

from schemas.check import Checker
from schemas.staging import ADDRESS, CHECK_RUN, FINDING, FINDING_FIELD, LEDGER
from tests.rules.judging import CATALOG, FACTS, batch, column_map, judge, sources


def test_each_field_has_file_row_column_the_text_and_what_was_understood() -> None:
    outcome = judge(
        {"infusion": [{"infusion_date": "2022-06"}], "relapse": [{"relapse_date": "2022-05-30"}]}
    )
    fields = outcome.finding_fields.join(
        outcome.findings.filter(pl.col("rule_id") == "DAT-13"), on="finding_id"
    ).sort("position")
    shown = ("table", "column", "file", "sheet", "row", "source_column", "value", "understood")
    assert fields.select(shown).rows() == [
        ("relapse", "relapse_date", "relapse.csv", None, 2, "RELAPSE_DATE", "2022-05-30", "2022-05-30"),
        ("infusion", "infusion_date", "infusion.csv", None, 2, "INFUSION_DATE", "2022-06", "2022-06"),
    ]  # fmt: skip


def test_a_column_joined_from_another_sheet_has_the_row_of_that_sheet() -> None:
    checker = Checker(CATALOG, FACTS)
    checker.add(batch("subject", [{}]))
    lines = batch("treatment_line", [{"end_date": "2022-01-01"}], first_row=7)
    checker.add(lines)
    ways = column_map().with_columns(
        pl.when((pl.col("table") == "treatment_line") & (pl.col("column") == "end_date"))
        .then(2)
        .otherwise("slot")
        .cast(pl.Int8)
        .alias("slot")
    )
    row = {"row_id": lines.frame["row_id"][0], "slot": 2, "source_id": 1, "source_row": 93}
    outcome = checker.finish(sources(), ways, pl.DataFrame([row], schema=ADDRESS))
    assert outcome.finding_fields.select("column", "file", "row").rows() == [
        ("end_date", "subject.csv", 93),
        ("start_date", "treatment_line.csv", 7),
    ]


def test_the_unit_of_urine_protein_is_named_where_it_has_a_column() -> None:
    issue = {"index": 0, "column": "m_protein_urine", "rule_id": "LAB-03"}
    rows = {"response": [{"m_protein_urine": None, "m_protein_urine_unit": "mg/L"}]}
    checker = Checker(CATALOG, FACTS)
    checker.add(batch("subject", [{}]))
    checker.add(batch("response", rows["response"], [issue]))
    unit = (
        column_map()
        .filter(pl.col("column") == "m_protein_urine")
        .with_columns(
            pl.lit("m_protein_urine_unit").alias("column"), pl.lit("UNIT").alias("source_column")
        )
    )
    outcome = checker.finish(
        sources(), pl.concat([column_map(), unit]), pl.DataFrame(schema=ADDRESS)
    )
    assert outcome.finding_fields.select("position", "source_column", "value").rows() == [
        (1, "M_PROTEIN_URINE", None),
        (2, "UNIT", "mg/L"),
    ]
    alone = judge(rows, {"response": [issue]})
    assert alone.finding_fields.height == 1


def test_fields_of_one_file_issue_make_one_finding() -> None:
    ticked = {
        "rule_id": "STR-09",
        "severity": "warning",
        "file": "a.csv",
        "row": 4,
        "patient_id": "1",
    }
    outcome = judge(
        {},
        file_issues=[
            {"issue": 5, **ticked, "source_column": "emd___0", "value": "1", "note": "told"},
            {"issue": 5, **ticked, "position": 2, "source_column": "emd___3", "value": "1"},
            {"issue": 6, **ticked, "row": 9, "source_column": "emd___0", "value": "1"},
        ],
    )
    assert outcome.findings.select("rule_id", "patient_id", "message").rows() == [
        ("STR-09", "1", "told"),
        ("STR-09", "1", "None and another option are both ticked. Which is right?"),
    ]
    assert outcome.finding_fields.select(
        "finding_id", "position", "row", "source_column"
    ).rows() == [
        (1, 1, 4, "emd___0"),
        (1, 2, 4, "emd___3"),
        (2, 1, 9, "emd___0"),
    ]


def test_two_canonical_rows_from_one_cell_give_one_finding() -> None:
    checker = Checker(CATALOG, FACTS)
    checker.add(batch("subject", [{}]))
    one = batch("relapse", [{"patient_id": "9"}], first_row=5)
    other = batch("infusion", [{"patient_id": "9"}], first_row=5)
    both = [one, other]
    for each in both:
        frame = each.frame.with_columns(pl.lit(1, dtype=pl.Int32).alias("source_id"))
        checker.add(type(each)(each.table, frame, each.raw, each.issues))
    outcome = checker.finish(sources(), column_map(), pl.DataFrame(schema=ADDRESS))
    assert outcome.findings["rule_id"].to_list() == ["STR-03"]
    assert outcome.kept["relapse"].height + outcome.kept["infusion"].height == 0


def test_frames_have_their_declared_schemas_even_when_nothing_is_found() -> None:
    for outcome in (judge({}), judge({"follow_up": [{"vital_status": "LOST"}]})):
        assert outcome.findings.schema == FINDING
        assert outcome.finding_fields.schema == FINDING_FIELD
        assert outcome.check_run.schema == CHECK_RUN
        assert outcome.ledger.schema == LEDGER
        assert outcome.kept["subject"].schema == CATALOG.tables["subject"].frame_schema


def test_findings_are_numbered_by_file_and_row() -> None:
    outcome = judge(
        {"treatment_line": [{"end_date": "2022-01-01"}, {**{"line_number": 2}, "start_date": "2023-09-01",
                             "end_date": "2023-08-01", "drugs": "melphalan"}],
         "lab": [{"value": 40.0}]}
    )  # fmt: skip
    assert outcome.findings["finding_id"].to_list() == [1, 2, 3]
    first = outcome.finding_fields.filter(pl.col("position") == 1)
    assert first.select("file", "row").rows() == [
        ("lab.csv", 2), ("treatment_line.csv", 2), ("treatment_line.csv", 3),
    ]  # fmt: skip


def test_a_delivery_of_nothing_is_judged_as_not_delivered() -> None:
    checker = Checker(CATALOG, FACTS)
    outcome = checker.finish(sources(), column_map(), pl.DataFrame(schema=ADDRESS))
    assert set(outcome.check_run["outcome"]) == {"not_run"}
    assert outcome.findings.is_empty()
    assert outcome.ledger.is_empty()
    assert dt.date(2024, 6, 14) == FACTS.export_date
