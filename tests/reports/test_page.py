"""The page: only from estimates, safe, complete."""

import base64
import csv
import hashlib
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from reports.figures.stacked_bar import Bar, stacked_bar
from reports.figures.survival_curve import Curve, Step, survival_curves
from reports.render import render

HOSTILE = (
    "<script>document.title='x'</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7 * 7 }}",
    "</style><script>alert(1)</script>",
    '=HYPERLINK("http://192.0.2.1")',
)


@pytest.fixture
def page(rendered: Path) -> Path:
    return rendered


@pytest.fixture(scope="module")
def hostile(warehouse: Path, study, tmp_path_factory) -> Path:
    """The page of the same warehouse with hostile text in every label and text of the estimates."""
    folder = tmp_path_factory.mktemp("hostile")
    copy = folder / "hostile.duckdb"
    shutil.copy(warehouse, copy)
    con = duckdb.connect(str(copy))
    for index, text in enumerate(HOSTILE):
        quoted = text.replace("'", "''")
        for column in ("population_label", "row_label", "level_label"):
            con.execute(
                f"update analysis.estimate set {column} = '{quoted}'"
                f" where position % {len(HOSTILE)} = {index}"
            )
        con.execute(
            f"update analysis.estimate set text = '{quoted}'"
            f" where display = 'METHODS' and position % {len(HOSTILE)} = {index}"
        )
    con.execute("create schema meta")
    con.execute("create table meta.run as select '<script>alert(2)</script>' as study_id")
    con.close()
    return render(copy, folder / "out", study)


def test_the_page_refers_to_nothing_outside_and_runs_one_script(page):
    html = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in html
    assert html.count("<script") == 1
    references = re.findall(r"""(?:src|href|action|data|xlink:href)\s*=\s*["']([^"']*)""", html)
    assert all(reference.startswith("#") for reference in references)
    assert not re.findall(r"url\(|@import|style=", html)
    assert set(re.findall(r"https?://[^\s\"'<]+", html)) == {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize(("kind", "tag"), [("style-src", "style"), ("script-src", "script")])
def test_style_and_script_are_those_that_the_policy_allows(page, kind, tag):
    html = page.read_text(encoding="utf-8")
    content = html.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    assert f"{kind} 'sha256-{digest}';" in html
    assert "unsafe" not in html.split("<title>")[0]


def test_every_printed_number_is_an_estimate(page, warehouse):
    """Every number that stands in a table cell or a caption is the text of an estimate."""
    con = duckdb.connect(str(warehouse), read_only=True)
    rows = con.execute("select text, value, events, n from analysis.estimate").fetchall()
    # A share may be printed as its two counts: of a row, its events or its value, and its n.
    shares = {f"{part:g}/{n}" for _, *parts, n in rows for part in parts if part is not None}
    texts = {row[0] for row in rows} | shares | {share.replace("/", " / ") for share in shares}
    html = page.read_text(encoding="utf-8")
    cells = re.findall(r"<td>([^<]*)</td>", html)
    unescaped = {cell.replace("&lt;", "<").replace("&gt;", ">") for cell in cells}
    assert len(cells) > 150
    assert unescaped - texts <= {""}


def test_table_1_is_printed_with_counts_medians_and_p(page):
    html = page.read_text(encoding="utf-8")
    assert "Talquetamab (n\u00a0=\u00a028)" in html
    row = re.search(r"Triple-class refractory</th>(.*?)</tr>", html, re.DOTALL)
    assert row is not None
    assert re.findall(r"<td>([^<]*)</td>", row.group(1)) == [
        "23 (82)",
        "33 (89)",
        "36 (84)",
        "23 (74)",
        "115 (83)",
        "0.44†",
    ]


def test_the_methods_print_time_zero_transform_tests_data_cut_and_settings(page):
    html = page.read_text(encoding="utf-8")
    for sentence in (
        "Data cut 2024-12-31",
        "Time zero of overall survival is the first systemic salvage",
        "log transform (95%)",
        "reverse Kaplan-Meier",
        "without continuity correction",
        "divided by 30.4375",
        "within 30 days before a systemic line",
        "on or before 3 and 5 months",
    ):
        assert sentence in html


def test_hostile_labels_are_shown_as_text(hostile):
    html = hostile.read_text(encoding="utf-8")
    assert html.count("<script") == 1
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    assert "{{ 7 * 7 }}" in html
    assert html.count("</style>") == html.count("</script>") == 1


def test_formulas_in_labels_reach_the_csv_tables_as_text(hostile):
    tables = list((hostile.parent / "tables").glob("*.csv"))
    assert tables
    for path in tables:
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]


def test_the_csv_of_estimates_holds_every_row_at_full_precision(page, warehouse):
    with (page.parent / "tables" / "estimates.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    con = duckdb.connect(str(warehouse), read_only=True)
    values = con.execute(
        "select value from analysis.estimate order by display, position"
    ).fetchall()
    assert [float(row["value"]) if row["value"] else None for row in rows] == [v[0] for v in values]


def test_the_same_estimates_give_the_same_bytes(page, warehouse, study, tmp_path):
    again = render(warehouse, tmp_path / "again", study)
    assert again.read_bytes() == page.read_bytes()


def figure_of(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(markup))


def test_numbers_at_risk_stand_under_their_ticks():
    curve = Curve(
        "A",
        (Step(0.0, 1.0, 1.0, 1.0), Step(2.0, 0.5, 0.2, 1.0)),
        ((4.0, 0.5),),
        ((0.0, 10), (3.0, 5), (6.0, 1)),
    )
    svg = figure_of(survival_curves([curve], "Survival", "s"))
    texts = [(e.text, e.get("x"), e.get("y")) for e in svg.iter("{http://www.w3.org/2000/svg}text")]
    position = {text: x for text, x, _ in texts if text in ("0", "3", "6")}
    numbers = {text: x for text, x, _ in texts if text in ("10", "5")}
    assert numbers == {"10": position["0"], "5": position["3"]}


def test_a_curve_drops_at_its_times_and_ends_at_the_last_observation():
    curve = Curve(
        "A",
        (Step(0.0, 1.0, None, None), Step(3.0, 0.5, None, None)),
        ((6.0, 0.5),),
        ((0.0, 2), (6.0, 1)),
    )
    svg = figure_of(survival_curves([curve], "Survival", "s"))
    path = next(
        e for e in svg.iter("{http://www.w3.org/2000/svg}path") if e.get("stroke-width") == "2.2"
    )
    # Plot from x = 136 to 736 for 6 months, y = 44 (100%) to 364 (0%).
    assert path.get("d") == "M136.00 44.00H436.00V204.00H736.00"


def test_many_months_are_thinned_to_a_readable_number_of_ticks():
    curve = Curve(
        "A",
        (Step(0.0, 1.0, None, None), Step(3.0, 0.5, None, None)),
        ((118.0, 0.5),),
        tuple((3.0 * k, 40 - k) for k in range(41)),
    )
    svg = figure_of(survival_curves([curve], "Survival", "s"))
    middle = [
        e.text
        for e in svg.iter("{http://www.w3.org/2000/svg}text")
        if e.get("text-anchor") == "middle"
    ]
    assert len([text for text in middle if text and text.isdigit()]) <= 2 * 14


def test_bars_of_a_group_without_patients_are_empty():
    svg = figure_of(
        stacked_bar([Bar("A", (0.0, 0.0), ("–", "–"), "no patients")], ["CR", "PR"], "x", "x")
    )
    widths = [e.get("width") for e in svg.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths == ["14", "14"]


def test_a_cohort_of_nobody_still_gives_a_page(tmp_path, study, create_core):
    from reports.estimates import write_estimates

    path = tmp_path / "empty.duckdb"
    con = duckdb.connect(str(path))
    create_core(con)
    from warehouse.analysis import derive

    derive(con, study)
    write_estimates(con, study)
    con.close()
    html = render(path, tmp_path / "out", study).read_text(encoding="utf-8")
    assert "0 patients in the cohort." in html
    assert "No patient of this display has a survival time." in html
