"""Model terms in R's notation become the columns that R makes."""

import itertools

import numpy as np
import polars as pl
import pytest

from reports.stats import cox
from reports.stats.design import design, terms_of, variables_of
from reports.stats.expressions import variable

FRAME = pl.DataFrame(
    {
        "arm": ["B", "A", "C", "A"],
        "sex": ["m", "f", "f", "m"],
        "grade": [1, 2, 3, 1],
        "bili": [1.0, 10.0, 100.0, 1000.0],
        "prior": [True, False, True, False],
    }
)


def test_factors_have_a_column_per_level_after_the_reference() -> None:
    made = design(FRAME, "arm + bili", {"arm": ["C", "A", "B"]})
    assert made.names == ("armA", "armB", "bili")
    assert made.term_of == (0, 0, 1)
    assert made.matrix[:, :2].tolist() == [[0, 1], [1, 0], [0, 0], [1, 0]]
    assert made.levels == {"arm": ("C", "A", "B")}


def test_without_declared_levels_they_are_sorted_numbers_by_size() -> None:
    frame = pl.DataFrame({"g": [10, 9, 2]})
    assert design(frame, "factor(g)").names == ("factor(g)9", "factor(g)10")
    assert design(FRAME, "arm").names == ("armB", "armC")
    assert design(FRAME, "prior").names == ("priorTRUE",)


def test_factor_of_a_factor_keeps_the_order_of_the_levels_that_occur() -> None:
    made = design(FRAME, "factor(arm)", {"arm": ["C", "X", "B", "A"]})
    assert made.names == ("factor(arm)B", "factor(arm)A")


def test_a_declared_level_that_does_not_occur_keeps_its_column() -> None:
    made = design(FRAME, "arm", {"arm": ["A", "B", "C", "D"]})
    assert made.names == ("armB", "armC", "armD")
    assert made.matrix[:, 2].tolist() == [0, 0, 0, 0]


def test_interactions_multiply_columns_the_first_factor_fastest() -> None:
    made = design(FRAME, "arm * sex")
    assert made.terms == ("arm", "sex", "arm:sex")
    assert made.names == ("armB", "armC", "sexm", "armB:sexm", "armC:sexm")
    assert made.matrix[:, 3].tolist() == [1, 0, 0, 0]
    assert made.without(2).names == ("armB", "armC", "sexm")


@pytest.mark.parametrize(
    ("formula", "terms"),
    [
        ("a + b", ["a", "b"]),
        ("a*b", ["a", "b", "a:b"]),
        ("a:b + a", ["a", "a:b"]),
        ("a + a", ["a"]),
        ("a*b*c", ["a", "b", "c", "a:b", "a:c", "b:c", "a:b:c"]),
        ("a:b + b:a", ["a:b"]),
        ("1", []),
    ],
)
def test_terms_are_read_main_effects_first(formula: str, terms: list[str]) -> None:
    assert [":".join(term) for term in terms_of(formula)] == terms


def test_simple_functions_of_a_number() -> None:
    made = design(FRAME, "log10(bili) + I(bili/10) + I(grade^2) + log(I(grade + 1))")
    assert made.names == ("log10(bili)", "I(bili/10)", "I(grade^2)", "log(I(grade + 1))")
    assert made.matrix[:, 0] == pytest.approx([0, 1, 2, 3])
    assert made.matrix[:, 1].tolist() == [0.1, 1, 10, 100]
    assert made.matrix[:, 2].tolist() == [1, 4, 9, 1]
    assert made.matrix[:, 3] == pytest.approx(np.log([2, 3, 4, 2]))
    assert variables_of("log(I(grade + 1)) + factor(arm):sex") == ["grade", "arm", "sex"]


@pytest.mark.parametrize(
    "formula",
    [
        "poly(bili, 2)",
        "ns(bili)",
        "bili - 1",
        "bili^2",
        "I(bili > 2)",
        "I(2)",
        "I(",
        "factor(bili + 1)",
    ],
)
def test_what_is_not_understood_is_refused(formula: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        design(FRAME, formula)


def test_a_value_that_is_no_level_is_refused() -> None:
    with pytest.raises(ValueError, match="none of its levels"):
        design(FRAME, "arm", {"arm": ["A", "B"]})


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("a:b", "a1:b1 a2:b1 a1:b2 a2:b2 a1:b3 a2:b3"),
        ("a + a:b", "a2 a1:b2 a2:b2 a1:b3 a2:b3"),
        ("b + a:b", "b2 b3 b1:a2 b2:a2 b3:a2"),
        ("a:x", "a1:x a2:x"),
        ("x + a:x", "x x:a2"),
        ("a + a:x", "a2 a1:x a2:x"),
        ("a:b + b:s", "a1:b1 a2:b1 a1:b2 a2:b2 a1:b3 a2:b3 b1:sv b2:sv b3:sv"),
        ("a:x + b:x", "a1:x a2:x x:b2 x:b3"),
        ("a*x + b:x", "a2 x a2:x x:b2 x:b3"),
        ("x:a + a:b", "x:a1 x:a2 a1:b2 a2:b2 a1:b3 a2:b3"),
        ("l:x", "lFALSE:x lTRUE:x"),
        ("factor(a):x", "factor(a)1:x factor(a)2:x"),
        ("log(x):a + log(x)", "log(x) log(x):a2"),
        ("a:b + a:b:s", "a1:b1 a2:b1 a1:b2 a2:b2 a1:b3 a2:b3"
         " a1:b1:sv a2:b1:sv a1:b2:sv a2:b2:sv a1:b3:sv a2:b3:sv"),
    ],
)  # fmt: skip
def test_an_interaction_without_its_main_effects_has_the_columns_of_r(
    formula: str, names: str
) -> None:
    """Names as R's model.matrix gives them, without the intercept."""
    cells = itertools.product("uv", "123", "12")
    frame = pl.DataFrame([{"a": a, "b": b, "s": s} for s, b, a in cells])
    frame = frame.with_columns(x=pl.int_range(1, 13) / 3).with_columns(l=pl.col("x") > 2)
    assert " ".join(design(frame, formula).names) == names


def test_a_slope_in_each_arm_is_the_same_model_as_arm_and_slope_with_their_interaction() -> None:
    """Twelve patients, no ties: `arm + arm:age` and `arm * age` span the same space."""
    random = np.random.default_rng(3)
    frame = pl.DataFrame(
        {
            "time": random.permutation(40) + 1,
            "event": random.random(40) < 0.7,
            "arm": random.choice(["A", "B"], 40),
            "age": random.normal(60, 9, 40),
        }
    )
    nested = cox(frame, "arm + arm:age", time="time", event="event")
    crossed = cox(frame, "arm * age", time="time", event="event")
    assert nested.loglik == pytest.approx(crossed.loglik, rel=1e-9)
    slopes = nested.table()["coef"]
    assert slopes[2] - slopes[1] == pytest.approx(crossed.table()["coef"][2], rel=1e-5)
    alone = cox(frame, "arm:age", time="time", event="event")
    assert (alone.df, alone.names) == (2, ("armA:age", "armB:age"))


def test_an_expression_bears_the_name_that_r_gives_it() -> None:
    written = {
        "I(year-1990)": "I(year - 1990)",
        "log( pgr+1 )": "log(pgr + 1)",
        "I((age-50)/10)": "I((age - 50)/10)",
        "I(a*b)": "I(a * b)",
        "I((a/b)*c)": "I((a/b) * c)",
        "I(-x^2)": "I(-x^2)",
        "I((x+1)^2)": "I((x + 1)^2)",
        "I(100000*x)": "I(1e+05 * x)",
        "I(1e3*x)": "I(1000 * x)",
        "I(.1*x)": "I(0.1 * x)",
    }
    assert {text: variable(text).label for text in written} == written


def test_an_expression_reads_its_columns_and_computes() -> None:
    made = design(
        FRAME, "log(bili + 1) + I((grade - 1)/2) + I(bili*grade) + I(-grade^2) + I(2^grade)"
    )
    assert made.matrix[:, 0] == pytest.approx(np.log([2, 11, 101, 1001]))
    assert made.matrix[:, 1].tolist() == [0, 0.5, 1, 0]
    assert made.matrix[:, 2].tolist() == [1, 20, 300, 1000]
    assert made.matrix[:, 3].tolist() == [-1, -4, -9, -1]
    assert made.matrix[:, 4].tolist() == [2, 4, 8, 2]
    assert variables_of("I(bili*grade) + log(1 + bili)") == ["bili", "grade"]


def strata_cohort() -> pl.DataFrame:
    """Two pairs of patients that can be ordered in `low`, one in `high`; all of them rightly by age."""
    return pl.DataFrame(
        {
            "time": [1, 2, 3, 1, 2],
            "event": [True, True, False, True, False],
            "age": [3.0, 2.0, 1.0, 2.0, 1.0],
            "size": ["low", "low", "low", "high", "high"],
        }
    )


def test_counts_of_the_strata_come_in_the_declared_order_of_their_levels() -> None:
    """In `low` the first event precedes two, the second one; in `high` the only event one."""
    frame = strata_cohort()
    columns = {"time": "time", "event": "event", "strata": "size"}
    declared = cox(frame, "age", levels={"size": ["low", "high"]}, **columns)
    assert declared.concordance().counts[:, 0].tolist() == [3, 1]
    assert cox(frame, "age", **columns).concordance().counts[:, 0].tolist() == [1, 3]
    enum = frame.with_columns(pl.col("size").cast(pl.Enum(["low", "high"])))
    assert cox(enum, "age", **columns).concordance().counts[:, 0].tolist() == [3, 1]
    loose = frame.with_columns(pl.col("size").cast(pl.Categorical))
    assert cox(loose, "age", **columns).concordance().counts[:, 0].tolist() == [1, 3]


def test_of_two_strata_the_last_one_runs_fastest() -> None:
    frame = pl.concat([strata_cohort().with_columns(sex=pl.lit(s)) for s in ("m", "f")])
    first = pl.concat_str("sex", "size").is_in(["mlow", "fhigh"]) & (pl.col("time") == 1)
    frame = frame.filter(~first)
    columns = {"time": "time", "event": "event", "strata": ["size", "sex"]}
    levels = {"size": ["low", "high"], "sex": ["m", "f"]}
    counts = cox(frame, "age", levels=levels, **columns).concordance().counts
    assert counts[:, 0].tolist() == [1, 3, 1, 0]


def test_a_stratum_that_is_none_of_the_declared_levels_is_refused() -> None:
    with pytest.raises(ValueError, match="size holds a value that is none of its levels"):
        cox(
            strata_cohort(),
            "age",
            time="time",
            event="event",
            strata="size",
            levels={"size": ["low"]},
        )
