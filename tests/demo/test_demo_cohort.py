"""The cohort shows the published Table 1, responses and survival."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from demo.cohort import build_cohort
from demo.course import event_dates
from demo.regimens import REGIMENS

GROUPS = ("TALQ", "TEC", "IPC", "OTHER")
# Row of the published table → counts per group and its P value.
TABLE_1 = {
    "sex": ({"F": (17, 15, 17, 10), "M": (11, 22, 26, 21)}, 0.148),
    "product": ({"IDE": (26, 36, 39, 29), "CILTA": (2, 1, 4, 2)}, 0.692),
    "r_iss": ({"I": (8, 5, 9, 3), "II": (12, 18, 18, 17), "III": (8, 14, 16, 11)}, 0.570),
    "triple": ({True: (23, 33, 36, 23), False: (5, 4, 7, 8)}, 0.441),
    "penta": ({True: (15, 20, 18, 11), False: (13, 17, 25, 20)}, 0.349),
    "prior_bcma": ({True: (8, 5, 8, 5), False: (20, 32, 35, 26)}, 0.460),
    "mycare": (
        {"LOW": (7, 6, 4, 5), "INTERMEDIATE": (18, 26, 31, 19), "HIGH": (3, 5, 8, 7)},
        0.593,
    ),
    "ecog": ({0: (7, 7, 4, 4), 1: (19, 25, 28, 27), 2: (2, 5, 11, 0)}, 0.024),
    "emd": ({True: (14, 19, 22, 18), False: (14, 18, 21, 13)}, 0.918),
    "subsequent": ({True: (6, 14, 24, 21), False: (22, 23, 19, 10)}, 0.0016),
}


def by_group(cohort: list[Any], name: str) -> list[list[Any]]:
    return [[getattr(p, name) for p in cohort if p.group == g] for g in GROUPS]


def test_the_groups_have_28_37_43_and_31_patients(cohort):
    assert [sum(p.group == g for p in cohort) for g in GROUPS] == [28, 37, 43, 31]


@pytest.mark.parametrize("name", TABLE_1)
def test_counts_and_p_value_of_each_row_of_table_1(cohort, name):
    expected, p_value = TABLE_1[name]
    got = {
        level: tuple(values.count(level) for values in by_group(cohort, name)) for level in expected
    }
    assert got == expected
    result = stats.chi2_contingency([list(row) for row in got.values()], correction=False)
    assert result.pvalue == pytest.approx(p_value, abs=0.0006)


@pytest.mark.parametrize(
    ("name", "expected", "p_value"),
    [
        ("age", [(63, 40, 78), (64, 40, 78), (59, 44, 79), (61, 40, 78)], 0.23),
        ("prior_lines", [(7, 3, 14), (7, 4, 14), (6, 4, 14), (7, 4, 15)], 0.81),
    ],
)
def test_medians_ranges_and_kruskal_wallis_of_whole_numbers(cohort, name, expected, p_value):
    groups = by_group(cohort, name)
    assert [(np.median(g), min(g), max(g)) for g in groups] == expected
    assert round(stats.kruskal(*groups).pvalue, 2) == p_value


def test_months_to_relapse_print_as_published(cohort):
    groups = [
        [(p.relapse - p.infusion).days / 30.4375 for p in cohort if p.group == g] for g in GROUPS
    ]
    printed = [tuple(f"{x:.1f}" for x in (np.median(g), min(g), max(g))) for g in groups]
    assert printed == [
        ("5.0", "0.8", "22.4"),
        ("7.3", "1.0", "24.6"),
        ("3.9", "0.4", "17.8"),
        ("3.3", "0.8", "24.9"),
    ]
    assert round(stats.kruskal(*groups).pvalue, 2) == 0.02


def test_responses_by_group_and_who_died_in_response(cohort):
    got = {level: [g.count(level) for g in by_group(cohort, "response")] for level in
           ("CR", "VGPR", "PR", "LTPR")}  # fmt: skip
    assert got["CR"] == [11, 12, 0, 1]
    assert got["VGPR"] == [6, 7, 1, 1]
    assert [sum(got[k][i] for k in ("CR", "VGPR", "PR")) for i in range(4)] == [22, 24, 13, 8]
    assert sum(p.dead for p in cohort if p.response == "CR") == 0
    assert sum(p.dead for p in cohort if p.response == "VGPR") == 2


def test_best_response_of_the_first_line_is_the_class_of_the_table(cohort):
    for p in cohort:
        best = p.lines[0].best
        shown = "CR" if best == "sCR" else best if best in ("CR", "VGPR", "PR") else "LTPR"
        assert shown == p.response


def test_other_salvage_is_15_chemotherapies_4_radiotherapies_4_transplants_and_8_of_other_kinds(
    cohort,
):
    kinds = Counter(REGIMENS[p.lines[0].regimen].subgroup for p in cohort if p.group == "OTHER")
    assert (kinds["CHEMO"], kinds["RT"], kinds["SCT"]) == (15, 4, 4)
    assert kinds.total() == 31


def test_triple_and_penta_follow_from_the_drugs(cohort):
    for p in cohort:
        imids = len(p.refractory & {"lenalidomide", "pomalidomide", "thalidomide"})
        pis = len(p.refractory & {"bortezomib", "carfilzomib", "ixazomib"})
        cd38 = len(p.refractory & {"daratumumab", "isatuximab"})
        assert p.triple is (min(imids, pis, cd38) >= 1)
        assert p.penta is (imids >= 2 and pis >= 2 and cd38 >= 1)
        assert p.refractory <= p.exposed


def test_mycare_and_r_iss_follow_from_their_parts(cohort):
    for p in cohort:
        labs = p.labs_before
        points = (
            p.emd_before
            + ("lenalidomide" in p.refractory)
            + bool(p.high_risk)
            + (labs["FERRITIN"] > labs["FERRITIN_ULN"])
        )
        assert p.mycare == ("LOW", "LOW", "INTERMEDIATE", "INTERMEDIATE", "HIGH")[points]
        iss = 3 if labs["B2M"] >= 5.5 else 1 if labs["B2M"] < 3.5 and labs["ALBUMIN"] >= 35 else 2
        bad = labs["LDH"] > labs["LDH_ULN"] or bool(p.high_risk)
        r_iss = {(1, False): "I", (3, True): "III"}.get((iss, bad), "II")
        assert p.r_iss == r_iss


def kaplan_meier_median(times: list[float], events: list[bool]) -> float | None:
    """First time with S(t) < 0.5, as R prints it."""
    survival = 1.0
    for t in sorted({t for t, e in zip(times, events, strict=True) if e}):
        at_risk = sum(x >= t for x in times)
        died = sum(x == t and e for x, e in zip(times, events, strict=True))
        survival *= 1 - died / at_risk
        if survival < 0.5:
            return t
    return None


def logrank_p(times: list[float], events: list[bool], groups: list[str]) -> float:
    """P of the log-rank test of k groups."""
    t, e, g = np.array(times), np.array(events), np.array(groups)
    names = sorted(set(groups))[:-1]
    score, cov = np.zeros(len(names)), np.zeros((len(names), len(names)))
    for time in np.unique(t[e]):
        at = t >= time
        n, d = at.sum(), ((t == time) & e).sum()
        share = np.array([(at & (g == name)).sum() / n for name in names])
        seen = np.array([((t == time) & e & (g == name)).sum() for name in names])
        score += seen - d * share
        if n > 1:
            cov += d * (n - d) / (n - 1) * (np.diag(share) - np.outer(share, share))
    return float(stats.chi2.sf(score @ np.linalg.solve(cov, score), len(names)))


def survival(patients: list[Any]) -> tuple[list[float], list[bool]]:
    ends = [(p.death or p.last_contact) for p in patients]
    days = [(e - p.salvage_start).days for e, p in zip(ends, patients, strict=True)]
    return [d / 30.4375 for d in days], [p.death is not None for p in patients]


@pytest.mark.parametrize(
    ("chosen", "window"),
    [
        (lambda p: p.group == "TALQ", None),
        (lambda p: p.group == "TEC", None),
        (lambda p: p.group == "IPC", (3.7, 7.0)),
        (lambda p: p.group == "OTHER", (4.3, 5.4)),
        (lambda p: True, (4, 14)),
        (lambda p: (p.relapse - p.infusion).days / 30.4375 <= 5, (3.5, 6.3)),
        (lambda p: (p.relapse - p.infusion).days / 30.4375 > 5, None),
        (lambda p: p.emd, (3, 7)),
        (lambda p: not p.emd, None),
        (lambda p: p.mycare == "LOW", None),
        (lambda p: p.mycare == "INTERMEDIATE", (2, 17)),
        (lambda p: p.mycare == "HIGH", (3, 5)),
    ],
)
def test_median_survival_lies_in_the_published_interval(cohort, chosen, window):
    median = kaplan_meier_median(*survival([p for p in cohort if chosen(p)]))
    if window is None:
        assert median is None
    else:
        assert median is not None
        assert window[0] <= median <= window[1]


def test_median_follow_up_by_reverse_kaplan_meier(cohort):
    times, events = survival(cohort)
    median = kaplan_meier_median(times, [not e for e in events])
    assert median is not None
    assert 7.6 <= median <= 9.6


def test_survival_differs_by_group_by_time_to_relapse_and_by_extramedullary_disease(cohort):
    times, events = survival(cohort)
    assert logrank_p(times, events, [p.group for p in cohort]) < 0.001
    early = [str(p.months_days / 30.4375 <= 5) for p in cohort]
    assert logrank_p(times, events, early) < 0.01
    assert logrank_p(times, events, [str(p.emd) for p in cohort]) < 0.01


def check_course(p: Any) -> None:
    day = dt.timedelta(days=1)
    assert 28 * day <= p.lymphodepletion - p.apheresis <= 60 * day
    assert 3 * day <= p.infusion - p.lymphodepletion <= 14 * day
    assert p.diagnosis < p.apheresis
    assert p.diagnosis.year - p.birth_year >= 19
    assert 0 <= p.infusion.year - p.birth_year - p.age <= 1
    assert dt.date(2021, 9, 1) <= p.infusion <= dt.date(2023, 12, 31)
    assert p.relapse - p.infusion >= 10 * day
    assert 0 * day <= p.salvage_start - p.relapse <= 180 * day
    for before, after in zip(p.lines, p.lines[1:], strict=False):
        assert after.start - before.start > 30 * day
        assert before.end is not None
        assert before.end <= after.start
    for line in p.lines:
        assert line.end is None or line.end >= line.start
        assert line.best_date is None or line.best_date >= line.start
        assert line.progression is None or line.progression > line.start
        if line.best in ("sCR", "CR", "VGPR", "PR") and line.progression:
            assert line.best_date <= line.progression
    end = p.death or p.first_contact
    assert max(event_dates(p)) <= end
    assert end <= dt.date(2024, 6, 14)
    assert p.death is not None or dt.date(2024, 6, 14) - p.first_contact <= 180 * day
    assert p.death is not None or dt.date(2024, 8, 30) - p.last_contact <= 180 * day
    assert p.last_contact <= dt.date(2024, 8, 30)
    assert all(p.death is None or a.date < p.death for a in p.assessments)
    seen = [(a.line, a.date) for a in p.assessments]
    assert len(set(seen)) == len(seen)


def test_no_course_contradicts_itself(cohort):
    for p in cohort:
        check_course(p)


def test_nobody_was_infused_before_the_product_was_approved(cohort):
    approved = {"IDE": dt.date(2021, 8, 20), "CILTA": dt.date(2022, 5, 25)}
    us = {"IDE": dt.date(2021, 3, 26), "CILTA": dt.date(2022, 2, 28)}
    for p in cohort:
        assert p.infusion >= (us if p.country == "US" else approved)[p.product]


def test_another_seed_and_another_size_keep_all_this():
    for p in build_cohort(139, seed=7):
        check_course(p)
    many = build_cohort(600, seed=7)
    assert len(many) == len({(p.center, p.local_id) for p in many}) == 600
    keys = Counter((p.center, p.sex, p.product, p.birth_year, p.infusion) for p in many)
    assert max(keys.values()) == 1
    for p in many:
        check_course(p)


def test_centers_are_of_uneven_size(cohort):
    sizes = Counter(p.center for p in cohort)
    assert len(sizes) == 12
    assert min(sizes.values()) == 4
    assert max(sizes.values()) == 21


def test_the_truth_folder_says_the_same(study: Path, cohort):
    with (study / "truth/cohort.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["center"], r["patient_id"]) for r in rows] == [
        (p.center, p.local_id) for p in cohort
    ]
    counts = json.loads((study / "truth/counts.json").read_text("utf-8"))
    assert counts["patients"] == [28, 37, 43, 31]
    assert counts["table1"]["mycare"]["HIGH"] == [3, 5, 8, 7]
    assert sum(counts["centers"].values()) == 139


def test_every_spelling_of_a_regimen_stands_in_the_vocabularies():
    folder = Path(__file__).parents[2] / "schemas/vocabularies"
    known = set()
    with (folder / "regimens.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["ambiguous"] != "Y":
                known |= {row["regimen"], *row["variants"].split("|")}
    words = {"mono", "y"}
    with (folder / "drugs.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for column in ("generic_name", "inn_de", "inn_es", "brands", "abbreviations",
                           "codes_and_misspellings"):  # fmt: skip
                words |= {word.casefold() for word in row[column].split("|")}
    for regimen in REGIMENS.values():
        for text in [t for options in regimen.spellings.values() for t in options]:
            parts = text.replace("/", " ").replace("+", " ").replace(",", " ").split()
            assert text in known or all(p.casefold() in words for p in parts), text
