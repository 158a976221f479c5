"""Each part of the spec language on a small real file."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from schemas.errors import SpecError

P = "sources:\n  p: {file: p.csv, patient_id: ID}\n"


def test_columns_become_typed_values_with_their_text_as_read(deliver) -> None:
    got = deliver(
        "dates: {order: dmy}\n" + P + "tables:\n  - table: subject\n    from: p\n    columns:\n"
        "      sex: Sex\n      birth_year: {column: Born, as: year}\n      diagnosis_date: Dx\n",
        p__csv="ID,Sex,Born,Dx\n007,w,1957,12.03.2019\n008, M ,12.05.1961,03/2018\n",
    )
    assert got.values("subject", "center_id", "patient_id", "source_row", "country", "sex", "birth_year") == [
        ("XX01", "007", 2, "DE", "F", 1957),
        ("XX01", "008", 3, "DE", "M", 1961),
    ]  # fmt: skip
    assert got.values("subject", "diagnosis_date", "diagnosis_date_precision") == [
        (dt.date(2019, 3, 12), "day"),
        (dt.date(2018, 3, 1), "month"),
    ]
    assert got.raws["subject"].rows() == [("007", "w", "1957", "12.03.2019"), ("008", " M ", "12.05.1961", "03/2018")]  # fmt: skip
    assert got.frames["subject"].schema == got.mapping.plan.catalog.tables["subject"].frame_schema


def test_a_value_not_understood_is_null_and_an_issue_at_its_row(deliver) -> None:
    got = deliver(
        "dates: {order: dmy}\n" + P + "tables:\n  - table: subject\n    from: p\n    columns:\n"
        "      sex: Sex\n      diagnosis_date: Dx\n",
        p__csv="ID,Sex,Dx\n1,w,31.02.2019\n2,foo,12.03.2019\n",
    )
    assert got.values("subject", "sex", "diagnosis_date") == [("F", None), (None, dt.date(2019, 3, 12))]  # fmt: skip
    assert got.rules() == [("subject", 0, "diagnosis_date", "DAT-01"), ("subject", 1, "sex", "STR-06")]  # fmt: skip
    assert "31.02" not in " ".join(got.found["note"])


def test_own_codes_come_before_the_vocabulary_and_null_means_missing(deliver) -> None:
    got = deliver(
        "codebooks:\n  sexes: {1: M, 2: F, 9: null}\n"
        + P
        + "tables:\n  - table: subject\n    from: p\n    columns:\n"
        "      sex: {column: Sex, codebook: sexes, map: {2: U}}\n",
        p__csv="ID,Sex\na,1\nb,2\nc,9\nd,w\n",
    )
    assert got.values("subject", "sex") == [("M",), ("U",), (None,), ("F",)]
    assert got.rules() == []


def test_missing_tokens_of_the_center_and_of_a_column_are_null_without_an_issue(deliver) -> None:
    got = deliver(
        "missing: [n.g.]\n" + P + "tables:\n  - table: infusion\n    from: p\n    columns:\n"
        "      infusion_number: {constant: 1}\n      age_at_infusion: {column: Age, missing: 999}\n"
        "      ecog: Ecog\n",
        p__csv="ID,Age,Ecog\na,61,1\nb,999,n.g.\nc,n.g.,k.A.\n",
    )
    assert got.values("infusion", "age_at_infusion", "ecog") == [
        (61, 1),
        (None, None),
        (None, None),
    ]
    assert got.rules() == []


def test_the_first_filled_of_several_columns_counts_and_leads_to_its_header(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: follow_up\n    from: p\n    columns:\n"
        "      vital_status: S\n      death_date: {coalesce: [Clinic, Registry]}\n",
        p__csv="ID,S,Clinic,Registry\na,dead,2024-01-02,\nb,dead,k.A.,2024-02-03\nc,alive,,\n",
    )
    assert got.values("follow_up", "death_date") == [(dt.date(2024, 1, 2),), (dt.date(2024, 2, 3),), (None,)]  # fmt: skip
    headers = got.mapping.column_map.filter(pl.col("column") == "death_date")
    by_map = dict(headers.select("map_id", "source_column").rows())
    assert [by_map[m] for (m,) in got.values("follow_up", "map_id")] == [
        "Clinic",
        "Registry",
        "Clinic",
    ]
    assert set(headers["rule"]) == {"coalesce"}


def test_a_status_in_a_date_column_fills_an_empty_vital_status(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: follow_up\n    from: p\n    columns:\n      death_date: Died\n",
        p__csv="ID,Died\na,lebt\nb,2024-02-03\n",
    )
    assert got.values("follow_up", "vital_status", "death_date") == [("ALIVE", None), (None, dt.date(2024, 2, 3))]  # fmt: skip
    assert got.rules() == []


def test_regular_expressions_split_one_cell_into_two_columns(deliver) -> None:
    got = deliver(
        "dates: {order: mdy}\n" + P + "tables:\n  - table: response\n    from: p\n    columns:\n"
        "      line_number: {constant: 1}\n      kind: {constant: BEST}\n"
        "      category: {regex: {column: Best, pattern: '^([A-Za-z]+)'}}\n"
        "      response_date: {regex: {column: Best, pattern: '(\\d+/\\d+/\\d+)$', unmatched: missing}}\n",
        p__csv="ID,Best\na,PR 03/12/2023\nb,VGPR\nc,?? 03/12/2023\n",
    )
    assert got.values("response", "category", "response_date") == [
        ("PR", dt.date(2023, 3, 12)),
        ("VGPR", None),
        (None, dt.date(2023, 3, 12)),
    ]
    assert got.rules() == [("response", 2, "category", "RSP-01")]
    assert got.raws["response"]["category"].to_list() == ["PR 03/12/2023", "VGPR", "?? 03/12/2023"]


def test_a_template_joins_columns_and_is_null_if_one_is_empty(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: subject\n    from: p\n    columns:\n"
        "      sex: {constant: F}\n      diagnosis_date: {template: '{Y}-{M}'}\n",
        p__csv="ID,Y,M\na,2019,03\nb,2019,\n",
    )
    assert got.values("subject", "diagnosis_date", "diagnosis_date_precision") == [(dt.date(2019, 3, 1), "month"), (None, None)]  # fmt: skip


def test_a_declared_precision_makes_invented_days_partial(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: subject\n    from: p\n    columns:\n"
        "      sex: {constant: F}\n      diagnosis_date: {column: Dx, precision: month}\n",
        p__csv="ID,Dx\na,2019-03-15\nb,2019\n",
    )
    assert got.values("subject", "diagnosis_date", "diagnosis_date_precision") == [
        (dt.date(2019, 3, 1), "month"),
        (dt.date(2019, 1, 1), "year"),
    ]


def test_rows_are_numbered_within_the_patient_by_date(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: relapse\n    from: p\n    columns:\n"
        "      relapse_number: {sequence: relapse_date}\n      relapse_date: R\n",
        p__csv="ID,R\na,2023-05-01\nb,2022-01-01\na,2022-05-01\na,2023-07-01\n",
    )
    assert got.values("relapse", "patient_id", "relapse_number") == [("a", 2), ("b", 1), ("a", 1), ("a", 3)]  # fmt: skip


def test_wide_blocks_become_rows_and_empty_repeats_are_counted(deliver) -> None:
    got = deliver(
        P
        + "tables:\n  - table: treatment_line\n    from: p\n    repeat: {n: [1, 2, 3]}\n    columns:\n"
        "      line_number: {constant: '{n}'}\n      start_date: s{n}_date\n      drugs: s{n}_drug\n",
        p__csv="ID,s1_date,s1_drug,s2_date,s2_drug,s3_date,s3_drug\n"
        "a,2023-01-01,Talvey,2023-05-01,Dara,,\nb,2023-02-01,Tecvayli,,,,\n",
    )
    lines = got.frames["treatment_line"].sort("patient_id", "line_number")
    assert lines.select("patient_id", "line_number", "drugs").rows() == [
        ("a", 1, "talquetamab"),
        ("a", 2, "daratumumab"),
        ("b", 1, "teclistamab"),
    ]
    assert got.counted("map", "excluded", "empty repeat") == 3
    assert got.balance() == []
    assert lines["row_id"].is_unique().all()


def test_wide_laboratory_values_have_test_and_unit_by_binding(deliver) -> None:
    got = deliver(
        "numbers: {decimal: ','}\n" + P + "tables:\n  - table: lab\n    from: p\n    repeat:\n"
        "      - {test: HB, head: Hb, unit: g/l}\n      - {test: CREATININE, head: Krea, unit: µmol/l}\n"
        "    keep_when: '{head}'\n    columns:\n      lab_date: Am\n      test: {constant: '{test}'}\n"
        "      value: {column: '{head}', unit: '{unit}'}\n",
        p__csv="ID;Am;Hb;Krea\na;2023-01-01;133;88,4\nb;2023-01-02;;<44,2\n",
    )
    assert got.frames["lab"].sort("patient_id", "test").select(
        "patient_id", "test", "value", "value_comparator", "value_unit"
    ).rows() == [
        ("a", "CREATININE", 1.0, None, "µmol/l"),
        ("a", "HB", 13.3, None, "g/l"),
        ("b", "CREATININE", 0.5, "<", "µmol/l"),
    ]


def test_units_in_rows_convert_and_a_missing_or_unknown_unit_is_an_issue(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: lab\n    from: p\n    columns:\n      lab_date: D\n"
        "      test: {column: T, map: {SPEP: M_SERUM}}\n"
        "      value: {column: V, unit_column: U, unit_map: {gpl: g/L}}\n",
        p__csv="ID,D,T,V,U\na,2023-01-01,SPEP,2.8,g/dL\na,2023-01-02,SPEP,28,gpl\na,2023-01-03,SPEP,28,\n"
        "a,2023-01-04,SPEP,28,furlong\na,2023-01-05,SPEP,28 g/L,\na,2023-01-06,FLC_RATIO,1.2,\n"
        "a,2023-01-07,SPEP,neg,g/dL\n",
    )
    assert got.values("lab", "test", "value", "value_unit", "result") == [
        ("M_SERUM", 28.0, "g/dL", None),
        ("M_SERUM", 28.0, "g/L", None),
        ("M_SERUM", None, None, None),
        ("M_SERUM", None, None, None),
        ("M_SERUM", 28.0, "g/L", None),
        ("FLC_RATIO", 1.2, None, None),
        ("M_SERUM", None, None, "NEGATIVE"),
    ]
    assert got.rules() == [("lab", 2, "value", "LAB-01"), ("lab", 3, "value", "LAB-01")]


def test_checkboxes_become_rows_and_none_beside_others_is_an_issue(deliver) -> None:
    got = deliver(
        "sources:\n  p:\n    file: p.csv\n    patient_id: ID\n"
        "    checkboxes: [{none: s___99, others: [s___1, s___2]}]\n"
        "tables:\n  - table: lesion\n    from: p\n    repeat:\n"
        "      - {n: 1, site: LIVER}\n      - {n: 2, site: SKIN}\n"
        "    keep_when: {column: 's___{n}', in: ['1', Checked]}\n    columns:\n"
        "      site: {constant: '{site}', at: 's___{n}'}\n      category: {constant: EXTRAOSSEOUS}\n"
        "      timepoint: {constant: RELAPSE}\n",
        p__csv="ID,s___1,s___2,s___99\na,1,0,0\nb,Unchecked,Checked,Unchecked\nc,1,0,1\n",
    )
    assert sorted(got.values("lesion", "patient_id", "site")) == [("a", "LIVER"), ("b", "SKIN"), ("c", "LIVER")]  # fmt: skip
    issues = got.mapping.issues.select(
        "issue", "position", "rule_id", "row", "source_column", "value"
    )
    assert issues.rows() == [(1, 1, "STR-09", 4, "s___99", "1"), (1, 2, "STR-09", 4, "s___1", "1")]
    where = got.mapping.column_map.filter(pl.col("column") == "site")["source_column"].to_list()
    assert where == ["s___1", "s___2"]
    assert got.raws["lesion"]["site"].to_list() == ["1", "1", "Checked"]


def test_events_and_instruments_are_filters_and_rows_of_no_block_are_counted(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: subject\n    from: p\n    where: {column: event, equals: base}\n"
        "    columns: {sex: Sex}\n"
        "  - table: treatment_line\n    from: p\n    where:\n      - {column: form, equals: therapy}\n"
        "    columns: {line_number: nr, start_date: s, drugs: d}\n",
        p__csv="ID,event,form,nr,Sex,s,d\na,base,,,w,,\na,fu,therapy,1,,2023-01-01,Talvey\na,fu,other,1,,,\n",
    )
    assert got.values("subject", "sex") == [("F",)]
    assert got.values("treatment_line", "line_number", "drugs") == [(1, "talquetamab")]
    assert got.counted("read", "in") == 3
    assert got.counted("read", "out") == 2
    assert got.counted("read", "excluded", "unmapped") == 1
    assert got.balance() == []


def test_legends_and_other_studies_are_left_out_with_their_reason(deliver) -> None:
    got = deliver(
        "sources:\n  p:\n    file: p.csv\n    patient_id: ID\n    exclude:\n"
        "      - {reason: other_study, when: {column: Study, not_in: [MM, '']}}\n"
        "      - {reason: legend, id_does_not_match: '^P\\d+$'}\n"
        "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex}\n",
        p__csv="ID,Study,Sex\nP1,MM,w\nP2,AML,m\nn = 2,,\n",
    )
    assert got.values("subject", "patient_id") == [("P1",)]
    assert got.counted("read", "excluded", "other_study") == 1
    assert got.counted("read", "excluded", "legend") == 1
    assert got.balance() == []


def test_a_where_of_the_source_filters_all_its_blocks(deliver) -> None:
    got = deliver(
        "sources:\n  p: {file: p.csv, patient_id: ID, where: {column: Ok, matches: '^[jJ]'}}\n"
        "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex}\n",
        p__csv="ID,Ok,Sex\na,ja,w\nb,nein,m\nc,,m\n",
    )
    assert got.values("subject", "patient_id") == [("a",)]
    assert got.counted("read", "excluded", "filtered") == 2


def test_several_files_of_one_form_are_one_source(deliver) -> None:
    got = deliver(
        "sources:\n  p: {file: 'p_*.csv', patient_id: ID}\n"
        "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex}\n",
        p_1__csv="ID,Sex\na,w\n",
        p_2__csv="ID,Sex\nb,m\nc,m\n",
    )
    assert got.values("subject", "patient_id", "source_id", "source_row") == [("a", 1, 2), ("b", 2, 2), ("c", 2, 3)]  # fmt: skip
    assert got.mapping.sources.select("file", "n_rows").rows() == [("p_1.csv", 1), ("p_2.csv", 2)]


def test_files_inside_a_zip_are_sources(tmp_path: Path, map_folder) -> None:
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "all.zip", "w") as archive:
        archive.writestr("a/patients.csv", "ID,Sex\na,w\n")
        archive.writestr("codes.csv", "x,y\n1,2\n")
    got = map_folder(
        "ignore_files: [all.zip/codes.csv]\nsources:\n  p: {file: all.zip/*/patients.csv, patient_id: ID}\n"
        "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex}\n"
    )
    assert got.values("subject", "patient_id") == [("a",)]
    assert got.mapping.sources["file"].to_list() == ["all.zip/a/patients.csv"]
    assert got.mapping.issues.height == 0


def test_two_header_rows_sheets_and_joins_by_id_not_by_row(tmp_path: Path, map_folder) -> None:
    (tmp_path / "in").mkdir()
    book = xlsxwriter.Workbook(tmp_path / "in" / "book.xlsx")
    one, two, more = (book.add_worksheet(name) for name in ("One", "Two", "Notes"))
    for row, cells in enumerate([("Base", "", ""), ("ID", "Product", "Day"), ("a", "Abecma", "2022-01-01"), ("b", "Carvykti", "2022-02-02")]):  # fmt: skip
        one.write_row(row, 0, cells)
    for row, cells in enumerate([("ID", "BCMA"), ("b", "ja"), ("a", "nein"), ("z", "ja"), ("b", "nein")]):  # fmt: skip
        two.write_row(row, 0, cells)
    more.write_row(0, 0, ("x", "y"))
    more.write_row(1, 0, ("1", "2"))
    book.close()
    got = map_folder(
        "sources:\n  one: {file: book.xlsx, sheet: One, header_rows: [2], patient_id: ID}\n"
        "  two: {file: book.xlsx, sheet: Two, patient_id: ID}\n"
        "tables:\n  - table: infusion\n    from: one\n    join: {source: two, columns: [BCMA]}\n    columns:\n"
        "      infusion_number: {constant: 1}\n      product: Product\n      infusion_date: Day\n      prior_bcma: BCMA\n"
    )
    assert got.values("infusion", "patient_id", "product", "prior_bcma") == [("a", "IDE", "N"), ("b", "CILTA", "Y")]  # fmt: skip
    first, second = got.frames["infusion"]["row_id"]
    assert got.addresses.rows() == [(first, 2, 2, 3), (second, 2, 2, 2)]
    bcma = got.mapping.column_map.filter(pl.col("column") == "prior_bcma").row(0, named=True)
    assert (bcma["slot"], bcma["source_id"], bcma["source_column"]) == (2, 2, "BCMA")
    issues = got.mapping.issues.select("rule_id", "sheet", "row").rows()
    assert issues == [("STR-07", "Notes", None), ("STR-02", "Two", 5), ("STR-03", "Two", 4)]
    assert got.balance() == []


def test_a_source_without_a_file_is_told_unless_it_is_optional(deliver) -> None:
    spec = (
        P + "  q: {file: q.csv, patient_id: ID%s}\n"
        "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex}\n"
        "  - table: relapse\n    from: q\n    columns: {relapse_number: {constant: 1}, relapse_date: R}\n"
    )
    with pytest.raises(
        SpecError, match=r"source 'q' finds no file 'q.csv'; the delivery holds 'p.csv'"
    ):
        deliver(spec % "", p__csv="ID,Sex\na,w\n")
    got = deliver(spec % ", optional: yes", p__csv="ID,Sex\na,w\n")
    assert got.frames["relapse"].height == 0
    assert "optional source 'q' is not in the delivery" in got.mapping.notes


def test_an_optional_column_may_be_missing(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: subject\n    from: p\n    columns:\n"
        "      sex: Sex\n      consent: {column: Consent, optional: yes}\n",
        p__csv="ID,Sex\na,w\n",
    )
    assert got.values("subject", "sex", "consent") == [("F", None)]


def test_the_fix_function_changes_cells_and_its_lost_rows_are_counted(
    deliver, tmp_path: Path
) -> None:
    (tmp_path / "XX01.fix.py").write_text(
        "import polars as pl\n\n\ndef fix(cells, source):\n"
        "    assert source == 'p'\n"
        "    return cells.filter(pl.col('Sex') != 'x').with_columns(Born=pl.lit('1960'))\n"
    )
    got = deliver(
        "fix: XX01.fix.py\nsources:\n  p: {file: p.csv, patient_id: ID, fix: yes, adds: [Born]}\n"
        "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex, birth_year: Born}\n",
        p__csv="ID,Sex\na,w\nb,x\n",
    )
    assert got.values("subject", "patient_id", "birth_year") == [("a", 1960)]
    assert got.counted("read", "excluded", "fix") == 1
    assert got.balance() == []


def test_a_fix_function_that_fails_is_told_without_values(deliver, tmp_path: Path) -> None:
    (tmp_path / "XX01.fix.py").write_text(
        "def fix(cells, source):\n    return cells['Sex'][0] + 1\n"
    )
    with pytest.raises(SpecError, match=r"XX01.fix.py: fix\(\) fails on file 'p.csv'") as caught:
        deliver(
            "fix: XX01.fix.py\nsources:\n  p: {file: p.csv, patient_id: ID, fix: yes}\n"
            "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex}\n",
            p__csv="ID,Sex\na,secret\n",
        )
    assert "secret" not in str(caught.value)


def test_value_labels_and_user_missing_codes_of_spss_are_used(tmp_path: Path, map_folder) -> None:
    import pandas as pd
    import pyreadstat

    (tmp_path / "in").mkdir()
    pyreadstat.write_sav(
        pd.DataFrame({"ID": ["01", "02", "03"], "SEX": [1.0, 2.0, 9.0], "NL": [5.0, 99.0, 7.0]}),
        tmp_path / "in" / "p.sav",
        variable_value_labels={"SEX": {1: "männlich", 2: "weiblich", 9: "fehlt"}},
        missing_ranges={"SEX": [9], "NL": [99]},
    )
    got = map_folder(
        "sources:\n  p: {file: p.sav, patient_id: ID}\n"
        "tables:\n  - table: subject\n    from: p\n    columns: {sex: {column: SEX, labels: yes}}\n"
        "  - table: infusion\n    from: p\n    columns: {infusion_number: {constant: 1}, prior_lines: NL}\n"
    )
    assert got.values("subject", "patient_id", "sex") == [("01", "M"), ("02", "F"), ("03", None)]
    assert got.raws["subject"]["sex"].to_list() == ["1", "2", "9"]
    assert got.values("infusion", "prior_lines") == [(5,), (None,), (7,)]
    assert got.rules() == []


def test_labelled_tests_decide_the_unit_of_their_values(tmp_path: Path, map_folder) -> None:
    import pandas as pd
    import pyreadstat

    (tmp_path / "in").mkdir()
    pyreadstat.write_sav(
        pd.DataFrame(
            {"ID": ["01", "01"], "T": [1.0, 2.0], "V": [111.0, 0.9], "U": ["g/l", "mg/dl"]}
        ),
        tmp_path / "in" / "p.sav",
        variable_value_labels={"T": {1: "HB", 2: "CREATININE"}},
    )
    got = map_folder(
        "sources:\n  p: {file: p.sav, patient_id: ID}\n"
        "tables:\n  - table: lab\n    from: p\n    columns:\n"
        "      test: {column: T, labels: yes}\n      value: {column: V, unit_column: U}\n"
    )
    assert got.values("lab", "test", "value") == [("HB", 11.1), ("CREATININE", 0.9)]


def test_a_unit_that_is_not_known_for_its_quantity_is_refused_before_anything_loads(
    deliver,
) -> None:
    with pytest.raises(SpecError, match=r"unit 'kg' is not known for b2m, which is kept in mg/L"):
        deliver(
            P + "tables:\n  - table: risk\n    from: p\n    columns:\n"
            "      timepoint: {constant: DIAGNOSIS}\n      b2m: {column: B, unit: kg}\n",
            p__csv="ID,B\na,3\n",
        )


def test_a_unit_of_a_binding_is_looked_at_before_anything_loads(deliver) -> None:
    with pytest.raises(SpecError, match=r"unit 'ng' is not known for HB, which is kept in g/dL"):
        deliver(
            P
            + "tables:\n  - table: lab\n    from: p\n    repeat: [{test: HB, unit: ng}]\n    columns:\n"
            "      test: {constant: '{test}'}\n      value: {column: B, unit: '{unit}'}\n",
            p__csv="ID,B\na,3\n",
        )


def test_own_codes_also_stand_for_numbers_and_dates(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: infusion\n    from: p\n    columns:\n"
        "      infusion_number: {constant: 1}\n      ecog: {column: E, map: {fit: 0, '9': null}}\n"
        "      infusion_date: {column: D, map: {start: 2022-01-01}}\n",
        p__csv="ID,E,D\na,fit,start\nb,9,2022-02-02\nc,2,\n",
    )
    assert got.values("infusion", "ecog", "infusion_date") == [
        (0, dt.date(2022, 1, 1)),
        (None, dt.date(2022, 2, 2)),
        (2, None),
    ]
    assert got.rules() == []


def test_the_category_of_a_lesion_may_come_from_its_site(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: lesion\n    from: p\n    columns:\n      site: S\n"
        "      category: {column: S, as: lesion_category, map: {Rippe: PARAOSSEOUS}}\n"
        "      timepoint: {constant: RELAPSE}\n",
        p__csv="ID,S\na,Leber\nb,paravertebral\nc,Rippe\nd,Zorp\n",
    )
    assert [c for (c,) in got.values("lesion", "category")] == ["EXTRAOSSEOUS", "PARAOSSEOUS", "PARAOSSEOUS", "UNKNOWN"]  # fmt: skip
    assert got.rules() == [("lesion", 3, "site", "STR-06")]


def test_ids_are_text_with_zeros_kept_and_strange_ones_are_issues(deliver) -> None:
    got = deliver(
        "id_pattern: '\\d{3}'\n"
        + P
        + "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex}\n",
        p__csv="ID,Sex\n 007 ,w\n7,m\n,w\n   ,m\n",
    )
    assert got.values("subject", "patient_id") == [("007",), ("7",)]
    issues = got.mapping.issues.select("rule_id", "row", "source_column", "patient_id").rows()
    assert sorted(issues) == [("STR-01", 4, "ID", None), ("STR-01", 5, "ID", None), ("STR-04", 3, "ID", "7")]  # fmt: skip
    assert got.counted("read", "quarantined", "STR-01") == 2
    assert got.balance() == []


ALIKE = ("P\u200b001", "P00\u00ad1", "\u0420001", "\uff30001", "P0\u041e1", "P\u00a0001")


def test_ids_that_only_look_like_others_are_held_with_their_code_points(deliver) -> None:
    rows = "".join(f"{one},w\n" for one in ("P001", *ALIKE, "Ä-1", "ПЖ-7", "№ 12"))
    spec = P + "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex}\n"
    got = deliver(spec, p__csv="ID,Sex\n" + rows)
    assert got.values("subject", "patient_id") == [("P001",), ("Ä-1",), ("ПЖ-7",), ("№ 12",)]
    found = got.mapping.issues.select("rule_id", "severity", "row", "note").rows()
    assert [(rule, severity, row) for rule, severity, row, _ in found] == [
        ("STR-04", "error", row) for row in range(3, 3 + len(ALIKE))
    ]
    assert found[0][3].endswith("U+200B ZERO WIDTH SPACE")
    assert "U+041E CYRILLIC CAPITAL LETTER O" in found[4][3]
    assert got.counted("read", "quarantined", "STR-04") == len(ALIKE)
    assert got.balance() == []


def test_letters_of_another_script_are_meant_where_the_form_of_ids_has_them(deliver) -> None:
    spec = P + "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex}\n"
    got = deliver("id_pattern: 'Р\\d{3}'\n" + spec, p__csv="ID,Sex\nР001,w\nР\u200b002,m\n")
    assert got.values("subject", "patient_id") == [("Р001",)]


def test_ids_of_two_unicode_forms_are_one_patient(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: subject\n    from: p\n    columns: {sex: Sex}\n",
        p__csv="ID,Sex\nM\u00fcl,w\nMu\u0308l,m\n",
    )
    assert got.frames["subject"]["patient_id"].n_unique() == 1


def test_cells_with_an_address_or_phone_number_are_issues_and_not_kept(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: treatment_line\n    from: p\n    columns:\n"
        "      line_number: L\n      start_date: S\n      drugs: R\n",
        p__csv="ID,L,S,R\na,1,2023-01-01,Talvey (call +49 351 4581234)\nb,1,2023-01-01,Talvey\n",
    )
    assert ("treatment_line", 0, "drugs", "PRV-01") in got.rules()
    assert [rule for rule in got.rules() if rule[1] == 1] == []


def test_a_relative_date_without_anchor_is_never_a_silent_null(deliver) -> None:
    got = deliver(
        P + "tables:\n  - table: relapse\n    from: p\n    columns:\n"
        "      relapse_number: {constant: 1}\n      relapse_date: R\n",
        p__csv="ID,R\na,d+45\n",
    )
    assert got.rules() == [("relapse", 0, "relapse_date", "DAT-01")]
