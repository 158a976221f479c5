"""What is said of a month after the last time of a curve, and of curves that have come to 0."""

import numpy as np
import pytest

from reports.displays.curve_contrasts import contrasts
from reports.displays.curves import BEYOND, Display, Sample, at_months, ticks_up_to
from reports.displays.estimate import within
from reports.displays.model_rows import powered
from reports.figures.completeness_matrix import Variable, completeness_matrix
from reports.figures.forest_plot import LONGEST, Heads, Ratio, forest_plot
from reports.figures.survival_curve import MOST_MARKS, Curve, Step, survival_curves


def sample(code, *times):
    """Months; a negative one is censored."""
    found = np.array(times, dtype=float)
    return Sample(code, code.title(), np.abs(found) * 30, found > 0)


def display(*samples):
    return Display("F", "OS", "Overall survival", samples, 30.0, early_events=1, small_group=1)


def test_survival_is_not_carried_on_after_the_last_time_unless_all_have_died():
    shown = display(sample("a", 1, 2, -5), sample("b", 1, 2, 4))
    found = {(e.population, e.level): e for e in at_months(shown, (5.0, 6.0, 99999.0))}

    assert found["a", "5"].value == pytest.approx(1 / 3)
    for month in ("6", "99999"):
        assert (found["a", month].value, found["a", month].text) == (None, BEYOND)
        assert found["b", month].value == 0


def texts(shown, asked, horizons):
    return [e.text for e in contrasts(shown, asked, horizons) if e.row == "WARNING"]


def test_a_curve_that_has_come_to_0_reaches_every_month():
    ended, observed = sample("a", 1, 2, 3, 4), sample("b", 2, 3, 5, -13)
    assert not texts(display(ended, observed), 12.0, (12.0,))
    censored = sample("a", 1, 2, 3, -4)
    assert "not all curves reach 12 months" in texts(display(censored, observed), 12.0, (12.0,))[0]


def test_restricted_means_before_the_crossing_are_not_offered_as_a_comparison():
    ahead_first = sample("a", *[3.5] * 2, *[4.0] * 18)
    ahead_later = sample("b", *[1.0] * 8, *[7.0] * 6, *[-9.0] * 6)
    [early] = [t for t in texts(display(ahead_first, ahead_later), None, (3.0,)) if "cross at" in t]
    assert "up to 3 months end before the curves cross" in early
    assert "Compare the restricted means" not in early
    [late] = [
        t for t in texts(display(ahead_first, ahead_later), None, (3.0, 6.0)) if "cross at" in t
    ]
    assert late.endswith("Compare the restricted means.")


@pytest.mark.parametrize(
    ("months", "step", "last"), [(0, 3, 0), (33.2, 3, 36), (36, 3, 36), (37, 6, 42), (441, 60, 480)]
)
def test_ticks_are_whole_quarters_and_few(months, step, last):
    ticks = ticks_up_to(months)
    assert ticks[-1] in (last, last + step)
    assert ticks[-1] >= months
    assert set(np.diff(ticks)) <= {step}
    assert ticks.size <= 14


def test_a_label_in_a_sentence_keeps_its_abbreviation():
    assert [within(label) for label in ("ECOG at start", "Center", "")] == [
        "ECOG at start",
        "center",
        "",
    ]


def test_a_long_heading_of_a_forest_stands_on_several_lines():
    label = "Relapse after CAR-T; cut prespecified (5 months; 5 months are the median of the published cohort)"
    drawing = str(
        forest_plot(
            [Ratio(label, p="0.98", is_head=True)], Heads(("A", "B"), "n", "HR", "P"), "x", "x"
        )
    )
    assert label not in drawing
    shown = [part.partition("<")[0] for part in drawing.split(">")]
    parts = [part for part in shown if part and part in label and len(part) > 9]
    assert " ".join(parts) == label
    assert max(map(len, parts)) <= LONGEST


def test_the_matrix_of_completeness_is_wide_enough_for_its_longest_label():
    short, long = (
        str(completeness_matrix([Variable("x" * n, ((50.0, "50"),))], ["All"], "x", "x"))
        for n in (10, 60)
    )
    assert 'viewBox="0 0 800' in short.replace(",", " ")
    assert 'viewBox="0 0 978' in long.replace(",", " ")


def test_marks_of_very_many_censored_patients_are_not_drawn():
    def marks(number):
        steps = (Step(0, 1.0, 1.0, 1.0), Step(1, 0.5, 0.4, 0.6))
        censored = tuple((1 + 30 * i / number, 0.5) for i in range(1, number + 1))
        drawing = str(survival_curves([Curve("A", steps, censored, ((0, 9), (33, 0)))], "x", "x"))
        return drawing.count("v10")

    assert marks(MOST_MARKS) == MOST_MARKS
    assert marks(MOST_MARKS + 1) == 1


def test_a_ratio_per_units_that_is_too_large_for_a_number_is_none():
    assert powered(1e40, 10) is None
    assert powered(None, 10) is None
    assert powered(2.0, 3) == 8
