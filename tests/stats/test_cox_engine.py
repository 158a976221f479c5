"""The Cox engine against lifelines and against a plain reading of the formulas, row by row."""

import itertools
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reports.stats import (
    all_contrasts,
    contrast,
    cox,
    cox_zph,
    drop_one,
    firth,
    log_rank,
    shared_frailty,
)
from reports.stats.hazards.likelihood import likelihood
from reports.stats.hazards.residuals import dfbeta, scaled_schoenfeld, schoenfeld, score_residuals
from reports.stats.hazards.risk_sets import risk_sets

# Its own stop leaves a score of 1e-6, which moves a coefficient in the seventh digit.
TIGHT = {"precision": 1e-16, "r_precision": 0.0, "step_size": 1.0, "max_steps": 100}


def cohort(
    seed: int, n: int = 60, *, ties: bool = True, entry: bool = False, strata: int = 1
) -> pl.DataFrame:
    """Random patients: times in few distinct values if tied, three arms, a number, centers."""
    random = np.random.default_rng(seed)
    arm = random.integers(0, 3, n)
    age = random.normal(60, 8, n)
    time = random.exponential(np.exp(-0.4 * arm + 0.02 * (age - 60))) * 10
    time = np.ceil(time) if ties else time + random.uniform(0, 1e-3, n)
    frame = pl.DataFrame(
        {
            "time": time,
            "event": random.random(n) < 0.7,
            "arm": [("A", "B", "C")[k] for k in arm],
            "age": age,
            "center": random.integers(0, 8, n),
            "stratum": random.integers(0, strata, n),
        }
    )
    start = time * random.choice([0.0, 0.3, 0.6], n)
    return frame.with_columns(entry=pl.Series(start)) if entry else frame


def dummies(frame: pl.DataFrame) -> Any:
    arm = frame["arm"].to_numpy()
    return np.column_stack([arm == "B", arm == "C", frame["age"].to_numpy()]).astype(float)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.booleans(), st.sampled_from([1, 3]))
def test_coefficients_errors_and_likelihood_equal_lifelines(
    seed: int, ties: bool, entry: bool, strata: int
) -> None:
    from lifelines import CoxPHFitter

    frame = cohort(seed, 80, ties=ties, entry=entry, strata=strata)
    fit = cox(
        frame,
        "arm + age",
        time="time",
        event="event",
        entry="entry" if entry else None,
        strata="stratum",
    )
    assume(not fit.maximum.infinite.any() and not fit.maximum.aliased.any())
    data = pd.DataFrame(frame.drop("arm", "center").to_dict(as_series=False))
    data[["B", "C"]] = dummies(frame)[:, :2]
    data["age"] -= 60
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        theirs = CoxPHFitter().fit(
            data,
            "time",
            "event",
            entry_col="entry" if entry else None,
            strata=["stratum"],
            formula="B + C + age",
            fit_options=TIGHT,
        )
    table = theirs.summary.loc[["B", "C", "age"]]
    assert fit.coef == pytest.approx(table["coef"].to_numpy(), rel=1e-6, abs=1e-7)
    assert fit.std_err == pytest.approx(table["se(coef)"].to_numpy(), rel=1e-6)
    assert fit.loglik == pytest.approx(theirs.log_likelihood_, rel=1e-10)


def test_robust_errors_equal_lifelines_where_nobody_is_tied() -> None:
    from lifelines import CoxPHFitter

    frame = cohort(4, 120, ties=False)
    fit = cox(frame, "age", time="time", event="event", cluster="center")
    data = pd.DataFrame(frame.select("time", "event", "age", "center").to_dict(as_series=False))
    theirs = CoxPHFitter().fit(
        data, "time", "event", cluster_col="center", formula="age", fit_options=TIGHT
    )
    assert fit.std_err[0] == pytest.approx(theirs.summary["se(coef)"].iloc[0], rel=1e-6)


def plain_likelihood(
    time: Any, event: Any, entry: Any, stratum: Any, weight: Any, x: Any, coef: Any, ties: str
) -> tuple[float, Any, Any]:
    """Log likelihood, score and information, one event and one risk set after the other."""
    risk = weight * np.exp(x @ coef)
    value, score, information = 0.0, np.zeros(len(coef)), np.zeros((len(coef), len(coef)))
    for s, t in sorted({(s, t) for s, t, e in zip(stratum, time, event, strict=True) if e}):
        at_risk = (stratum == s) & (time >= t) & (entry < t)
        died = (stratum == s) & (time == t) & event
        d = int(died.sum())
        value += weight[died] @ (x[died] @ coef)
        score = score + weight[died] @ x[died]
        for step in range(d):
            share = step / d if ties == "efron" else 0.0
            kept = risk * at_risk - share * risk * died
            mean = kept @ x / kept.sum()
            each = weight[died].mean()
            value -= each * np.log(kept.sum())
            score = score - each * mean
            centered = x - mean
            information += each * (centered.T * kept) @ centered / kept.sum()
    return value, score, information


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["efron", "breslow"]), st.sampled_from([1, 4]))
def test_likelihood_score_and_information_equal_a_plain_reading(
    seed: int, ties: Any, strata: int
) -> None:
    frame = cohort(seed, 40, entry=True, strata=strata)
    random = np.random.default_rng(seed)
    x, weight = dummies(frame), random.uniform(0.5, 2, 40)
    x[:, 2] -= 60
    columns = {name: frame[name].to_numpy() for name in ("time", "event", "entry", "stratum")}
    coef = np.array([0.3, -0.5, 0.04])
    rows = risk_sets(
        columns["time"],
        columns["event"],
        entry=columns["entry"],
        stratum=columns["stratum"],
        weight=weight,
        ties=ties,
    )
    at = likelihood(rows, x[rows.order], coef)
    value, score, information = plain_likelihood(
        **columns, weight=weight, x=x, coef=coef, ties=ties
    )
    assert at.loglik == pytest.approx(value, rel=1e-11)
    assert at.score == pytest.approx(score, rel=1e-9, abs=1e-9)
    assert at.information() == pytest.approx(information, rel=1e-9, abs=1e-9)
    residuals = score_residuals(at) * rows.weight[:, None]
    assert residuals.sum(axis=0) == pytest.approx(score, rel=1e-9, abs=1e-9)


def test_schoenfeld_residuals_sum_to_nothing_and_scale_to_the_coefficient() -> None:
    fit = cox(cohort(1, 200), "arm + age", time="time", event="event")
    assert schoenfeld(fit).sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-4)
    assert scaled_schoenfeld(fit).mean(axis=0) == pytest.approx(fit.coef, abs=1e-5)


def test_dfbeta_is_about_the_change_when_a_row_is_left_out() -> None:
    frame = cohort(2, 300, ties=False)
    fit = cox(frame, "age", time="time", event="event")
    change = dfbeta(fit)[:, 0]
    order = fit.maximum.at_maximum.rows.order
    for place in (20, 40, 140, 240):
        without = frame.with_row_index().filter(pl.col("index") != order[place])
        refitted = cox(without, "age", time="time", event="event")
        assert fit.coef[0] - refitted.coef[0] == pytest.approx(change[place], rel=0.06)


def plain_concordance(frame: pl.DataFrame, risk: Any) -> tuple[list[int], float]:
    """All pairs, and the jackknife of Somers' d."""
    rows = frame.with_columns(risk=pl.Series(risk)).to_dicts()
    counts = [0, 0, 0, 0, 0]
    each = np.zeros((len(rows), 3))
    for i, j in itertools.permutations(range(len(rows)), 2):
        a, b = rows[i], rows[j]
        if not a["event"] or a["stratum"] != b["stratum"]:
            continue
        if a["time"] == b["time"] and b["event"]:
            if i < j:
                counts[4 if a["risk"] == b["risk"] else 3] += 1
            continue
        if b["time"] < a["time"] or b.get("entry", -1) >= a["time"]:
            continue
        kind = 2 if a["risk"] == b["risk"] else int(b["risk"] > a["risk"])
        counts[kind] += 1
        each[[i, j], kind] += 1
    pairs = sum(counts[:3])
    somers = (counts[0] - counts[1]) / pairs
    change = (each[:, 0] - each[:, 1] - somers * each.sum(axis=1)) / pairs
    return counts, float(np.sqrt((change**2).sum()) / 2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([1, 3]), st.sampled_from([20, 90]))
def test_concordance_equals_counting_all_pairs(seed: int, entry: bool, strata: int, n: int) -> None:
    frame = cohort(seed, n, entry=entry, strata=strata)
    fit = cox(
        frame.with_columns(pl.col("age") // 10),
        "age",
        time="time",
        event="event",
        entry="entry" if entry else None,
        strata="stratum",
    )
    risk = np.sign(fit.maximum.coef[0]) * (frame["age"] // 10).to_numpy()
    counts, error = plain_concordance(frame, risk)
    found = fit.concordance()
    assert list(found.totals) == counts
    assert found.std_err == pytest.approx(error, rel=1e-9)
    assert found.value == pytest.approx((counts[0] + counts[2] / 2) / sum(counts[:3]))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.001, 1000), st.floats(-500, 500))
def test_units_of_a_covariate_and_monotone_times_change_nothing_but_the_coefficient(
    seed: int, scale: float, shift: float
) -> None:
    frame = cohort(seed, 50)
    other = frame.with_columns(pl.col("age") * scale + shift, pl.col("time") ** 2 + 1)
    one, two = (cox(f, "arm + age", time="time", event="event") for f in (frame, other))
    assume(not one.maximum.infinite.any())
    assert two.coef[2] * scale == pytest.approx(one.coef[2], rel=1e-6, abs=1e-9)
    assert two.coef[:2] == pytest.approx(one.coef[:2], rel=1e-6, abs=1e-8)
    assert two.loglik == pytest.approx(one.loglik, rel=1e-11)


def test_a_row_of_weight_2_is_two_rows_by_breslow() -> None:
    frame = cohort(7, 50).with_columns(w=pl.Series([1.0, 2.0] * 25))
    twice = pl.concat([frame, frame.filter(pl.col("w") == 2)])
    weighted = cox(frame, "arm", time="time", event="event", weights="w", ties="breslow")
    doubled = cox(twice, "arm", time="time", event="event", ties="breslow")
    assert weighted.coef == pytest.approx(doubled.coef, rel=1e-9)
    assert weighted.std_err == pytest.approx(doubled.std_err, rel=1e-9)


def test_splitting_follow_up_into_intervals_changes_nothing() -> None:
    frame = cohort(8, 60)
    cut = 5.0
    early = frame.with_columns(
        start=pl.lit(-1.0),
        event=pl.col("event") & (pl.col("time") <= cut),
        time=pl.col("time").clip(upper_bound=cut),
    )
    late = frame.filter(pl.col("time") > cut).with_columns(start=pl.lit(cut))
    split = pl.concat([early, late])
    whole = cox(frame, "arm + age", time="time", event="event")
    parts = cox(split, "arm + age", time="time", event="event", entry="start")
    assert parts.coef == pytest.approx(whole.coef, rel=1e-9)
    assert parts.loglik == pytest.approx(whole.loglik, rel=1e-12)
    assert cox_zph(parts).tests["p"].to_list() == pytest.approx(
        cox_zph(whole).tests["p"].to_list(), rel=1e-6
    )


def test_the_score_test_of_one_factor_without_ties_is_the_log_rank_test() -> None:
    frame = cohort(9, 150, ties=False, strata=4)
    fit = cox(frame, "arm", time="time", event="event", strata="stratum")
    test = log_rank(
        frame["time"].to_numpy(),
        frame["event"].to_numpy(),
        frame["arm"].to_numpy(),
        strata=frame["stratum"].to_numpy(),
    )
    assert fit.score().statistic == pytest.approx(test.chi_squared, rel=1e-9)
    assert fit.score().df == test.df == 2


def test_any_two_levels_are_compared_as_if_one_were_the_reference() -> None:
    frame = cohort(10, 120)
    fit = cox(frame, "arm + age", time="time", event="event")
    other = cox(frame, "arm + age", time="time", event="event", levels={"arm": ["B", "A", "C"]})
    table = {row["term"]: row for row in other.table().to_dicts()}
    found = contrast(fit, "arm", "C", "B")
    assert found.coef == pytest.approx(table["armC"]["coef"], rel=1e-7)
    assert found.se == pytest.approx(table["armC"]["se"], rel=1e-7)
    assert (found.lower, found.upper) == pytest.approx(
        (table["armC"]["hr_lower"], table["armC"]["hr_upper"]), rel=1e-6
    )
    assert [(c.level, c.against) for c in all_contrasts(fit, "arm")] == [
        ("B", "A"),
        ("C", "A"),
        ("C", "B"),
    ]


@pytest.mark.parametrize(
    ("variable", "level", "against"),
    [("sex", "m", "f"), ("age", "61", "60"), ("arm", "D", "A")],
)
def test_a_contrast_of_what_is_no_factor_of_the_model_is_refused(
    variable: str, level: str, against: str
) -> None:
    fit = cox(cohort(10, 50), "arm + age", time="time", event="event")
    with pytest.raises(ValueError, match=variable if variable != "arm" else "D"):
        contrast(fit, variable, level, against)


def test_levels_of_a_factor_that_interacts_are_not_compared() -> None:
    fit = cox(cohort(10, 120), "arm * age", time="time", event="event")
    with pytest.raises(ValueError, match="interacts"):
        contrast(fit, "arm", "C", "B")


SEPARATED = pl.DataFrame(
    {
        "time": [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "event": [True] * 4 + [False] * 6,
        "arm": ["A"] * 5 + ["B"] * 5,
        "age": [3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3],
    }
)


def test_a_level_without_events_is_not_estimable_and_the_rest_is() -> None:
    fit = cox(SEPARATED, "arm + age", time="time", event="event")
    arm, age = fit.table().to_dicts()
    assert arm["status"] == "not estimable"
    assert {arm[name] for name in ("coef", "se", "z", "p", "hr", "hr_lower", "hr_upper")} == {None}
    assert age["status"] == "estimated"
    # In the limit nobody of arm B is at risk while the others have their events.
    alone = cox(SEPARATED.head(5), "age", time="time", event="event")
    assert age["coef"] == pytest.approx(alone.coef[0], rel=1e-6)
    assert contrast(fit, "arm", "B", "A").hr is None
    assert np.isnan(fit.wald().statistic)


def test_separation_by_two_columns_together_is_found() -> None:
    x = [1.0, 2, 3, 4, 5, 6, 7, 8]
    frame = pl.DataFrame({"time": x, "event": [1] * 8, "u": [-v for v in x], "v": [1, 0] * 4})
    fit = cox(frame, "u + v", time="time", event="event")
    assert fit.statuses[0] == "not estimable"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 24), st.sampled_from([1, 2]))
def test_not_estimable_is_told_exactly_where_a_direction_separates(
    seed: int, n: int, strata: int
) -> None:
    """A direction in which no event's risk is below that of anybody at risk with it: by linear programming."""
    from scipy.optimize import linprog

    frame = cohort(seed, n, entry=True, strata=strata)
    frame = frame.with_columns(pl.col("time") // 3 + 1, age=pl.col("age") // 8)
    frame = frame.with_columns(entry=pl.min_horizontal("entry", pl.col("time") - 1))
    columns = {"time": "time", "event": "event", "entry": "entry", "strata": "stratum"}
    fit = cox(frame, "arm + age", levels={"arm": ["A", "B", "C"]}, **columns)
    x = fit.design.matrix[:, ~fit.maximum.aliased]
    rows = frame.to_dicts()
    differences = [
        x[i] - x[j]
        for i, j in itertools.permutations(range(n), 2)
        if rows[i]["event"]
        and rows[j]["stratum"] == rows[i]["stratum"]
        and rows[j]["entry"] < rows[i]["time"] <= rows[j]["time"]
    ]
    assume(differences and x.shape[1])
    d = np.array(differences)
    best = linprog(-d.sum(axis=0), A_ub=-d, b_ub=np.zeros(len(d)), bounds=[(-1, 1)] * x.shape[1])
    assert fit.maximum.infinite.any() == (-best.fun > 1e-9)


def test_firth_equals_the_maximum_of_the_penalized_likelihood() -> None:
    from scipy.optimize import minimize

    fit = cox(SEPARATED, "arm + age", time="time", event="event")
    x = np.column_stack([SEPARATED["arm"] == "B", SEPARATED["age"]]).astype(float)
    columns = {
        "time": SEPARATED["time"].to_numpy(),
        "event": SEPARATED["event"].to_numpy(),
        "entry": np.full(10, -1.0),
        "stratum": np.zeros(10),
        "weight": np.ones(10),
    }

    def penalized(coef: Any) -> float:
        value, _, information = plain_likelihood(**columns, x=x, coef=coef, ties="efron")
        return -(value + np.linalg.slogdet(information)[1] / 2)

    best = minimize(penalized, [0.0, 0.0], method="BFGS", options={"gtol": 1e-9})
    found = firth(fit)
    assert found.table["coef"].to_list() == pytest.approx(best.x.tolist(), abs=1e-5)
    assert found.loglik == pytest.approx(-best.fun, rel=1e-9)
    for column, name in enumerate(("hr_lower", "hr_upper") * 2):
        at = column // 2
        fixed = np.log(found.table[name][at])
        profile = minimize(
            lambda c, at=at, fixed=fixed: penalized(np.insert(c, at, fixed)), [0.0], method="BFGS"
        )
        assert 2 * (profile.fun - best.fun) == pytest.approx(3.841458820694124, abs=1e-4)


def test_a_column_that_says_nothing_new_is_aliased_and_the_others_stay() -> None:
    frame = cohort(11, 80).with_columns(twice=pl.col("age") * 2 + 1, one=pl.lit(1.0))
    fit = cox(frame, "age + twice + one + arm", time="time", event="event")
    plain = cox(frame, "age + arm", time="time", event="event")
    assert fit.statuses == ("estimated", "aliased", "aliased", "estimated", "estimated")
    assert fit.df == 3
    assert fit.coef[[0, 3, 4]] == pytest.approx(plain.coef, rel=1e-9)
    dropped = {row["term"]: row for row in drop_one(fit).to_dicts()}
    assert (dropped["twice"]["df"], dropped["twice"]["p"]) == (0, None)


def test_without_an_event_nothing_is_estimated() -> None:
    frame = cohort(12, 20).with_columns(event=pl.lit(value=False))
    fit = cox(frame, "arm + age", time="time", event="event")
    assert fit.events == 0
    assert set(fit.table()["coef"].to_list()) == {None}
    assert np.isnan(fit.concordance().value)


def test_rows_with_missing_values_are_left_out_and_counted_by_column() -> None:
    frame = cohort(13, 40).with_columns(
        age=pl.when(pl.int_range(40) < 3).then(None).otherwise(pl.col("age")),
        arm=pl.when(pl.int_range(40).is_between(2, 5)).then(None).otherwise(pl.col("arm")),
    )
    fit = cox(frame, "arm + age", time="time", event="event")
    assert (fit.n, fit.n_dropped) == (34, 6)
    assert fit.dropped_by == {"arm": 4, "age": 3}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": -1.0}, "negative"),
        ({"entry": 1e9}, "entry: 1 of 20 rows is not before the time"),
        ({"arm": "D"}, "none of its levels"),
    ],
)
def test_data_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    name, value = next(iter(change.items()))
    frame = cohort(14, 20, entry=True)
    wrong = frame.with_columns(
        pl.when(pl.int_range(20) == 3).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
    )
    with pytest.raises(ValueError, match=message):
        cox(
            wrong, "arm", time="time", event="event", entry="entry", levels={"arm": ["A", "B", "C"]}
        )


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="no column stage"):
        cox(cohort(1, 20), "arm + stage", time="time", event="event")


def test_a_hazard_that_changes_with_time_fails_the_test_of_proportional_hazards() -> None:
    random = np.random.default_rng(3)
    arm = random.integers(0, 2, 600)
    time = np.where(arm == 1, random.weibull(3.0, 600), random.weibull(0.8, 600))
    frame = pl.DataFrame(
        {"time": time, "event": True, "arm": arm, "noise": random.normal(size=600)}
    )
    tests = cox_zph(cox(frame, "arm + noise", time="time", event="event")).tests
    p = dict(tests.select("term", "p").iter_rows())
    assert p["arm"] < 1e-10
    assert p["GLOBAL"] < 1e-10
    assert p["noise"] > 0.001


def test_centers_that_do_not_differ_have_no_frailty_and_centers_that_do_have_one() -> None:
    random = np.random.default_rng(5)
    center = np.repeat(np.arange(20), 30)
    effect = random.normal(0, 1.0, 20)[center]
    for sign, low, high in ((0.0, 0.0, 0.05), (1.0, 0.4, 2.0)):
        time = random.exponential(np.exp(-sign * effect))
        frame = pl.DataFrame(
            {"time": time, "event": True, "center": center, "x": random.normal(size=600)}
        )
        fit = cox(frame, "x", time="time", event="event", cluster="center")
        for distribution in ("gamma", "gaussian"):
            found = shared_frailty(fit, distribution)
            assert found is not None
            assert low <= found.theta <= high
            # Centers that lived longer have the smaller risk, shrunk to the mean.
            if sign:
                assert np.corrcoef(found.effects, effect[::30])[0, 1] > 0.9


def test_one_center_or_no_event_has_no_frailty() -> None:
    frame = cohort(19, 40).with_columns(one=pl.lit(1))
    assert shared_frailty(cox(frame, "age", time="time", event="event", cluster="one")) is None
    quiet = frame.with_columns(event=pl.lit(value=False))
    assert shared_frailty(cox(quiet, "age", time="time", event="event", cluster="center")) is None
    with pytest.raises(ValueError, match="needs clusters"):
        shared_frailty(cox(frame, "age", time="time", event="event"))


def test_without_a_complete_row_there_is_no_model() -> None:
    frame = cohort(1, 5).with_columns(age=pl.lit(None, pl.Float64))
    with pytest.raises(ValueError, match="no row has a value"):
        cox(frame, "age", time="time", event="event")


def test_one_cluster_says_nothing_of_the_error_and_few_clusters_are_told() -> None:
    frame = cohort(15, 80).with_columns(one=pl.lit(1), two=pl.int_range(80) % 2)
    alone = cox(frame, "arm + age", time="time", event="event", cluster="one")
    assert np.isnan(alone.std_err).all()
    assert alone.table()["p"].null_count() == 3
    assert np.isnan(alone.wald().statistic)
    assert cox(frame, "arm + age", time="time", event="event", cluster="two").few_clusters
    many = cox(frame, "arm + age", time="time", event="event", cluster="center")
    assert not many.few_clusters
    assert np.isfinite(many.std_err).all()


def test_the_wald_test_of_fewer_clusters_than_coefficients_is_over_the_columns_they_tell_apart() -> (
    None
):
    frame = cohort(16, 80).with_columns(two=pl.int_range(80) % 2)
    fit = cox(frame, "arm + age", time="time", event="event", cluster="two")
    first = fit.coef[0] ** 2 / fit.variance[0, 0]
    assert fit.wald().statistic == pytest.approx(first, rel=1e-6)


def test_events_at_one_time_only_leave_nothing_to_test_over_time() -> None:
    frame = cohort(17, 40).with_columns(time=pl.lit(3.0))
    tests = cox_zph(cox(frame, "arm", time="time", event="event")).tests
    assert tests["p"].to_list() == [None, None]


def test_the_log_of_time_0_gives_no_test() -> None:
    frame = cohort(18, 40).with_columns(time=pl.col("time") - 1)
    fit = cox(frame, "age", time="time", event="event")
    assert cox_zph(fit, "log").tests["p"].to_list() == [None, None]
    assert None not in cox_zph(fit, "km").tests["p"].to_list()


def test_an_unknown_transform_is_refused() -> None:
    fit = cox(cohort(18, 40), "age", time="time", event="event")
    with pytest.raises(ValueError, match="transform 'cube'"):
        cox_zph(fit, "cube")  # type: ignore[arg-type]
