"""Stages and high-risk definitions against plain Python that tries every completion, one by one."""

import itertools
import random

SIGNS = ("", "<", "<=", ">", ">=", "~")


def could_be(value: str, sign: str, grid: list[float]) -> list[float]:
    """The values of a grid that a cell leaves possible."""
    if not value or sign == "~":
        return grid
    v = float(value)
    fits = {
        "": lambda x: x == v,
        "<": lambda x: x < v,
        "<=": lambda x: x <= v,
        ">": lambda x: x > v,
        ">=": lambda x: x >= v,
    }[sign]
    return [x for x in grid if fits(x)]


def iss(b2m: float, albumin: float) -> str:
    if b2m >= 5.5:
        return "III"
    return "I" if b2m < 3.5 and albumin >= 35 else "II"


def r_iss(stage: str, ldh_high: bool, fish_high: bool) -> str:
    if stage == "I" and not ldh_high and not fish_high:
        return "I"
    return "III" if stage == "III" and (ldh_high or fish_high) else "II"


def around(*thresholds: float) -> list[float]:
    """Tenths around each threshold, and what lies between them."""
    steps = range(-10, 11)
    return sorted({round(t + step / 20, 2) for t in thresholds for step in steps})


def test_stages_are_those_that_some_completion_gives(plain_each):
    rng = random.Random(20161)
    b2m_grid, albumin_grid, ldh_grid = around(3.5, 4.5, 5.5), around(35), around(250)
    cases = []
    for _ in range(400):
        b2m = (rng.choice(["", "3.4", "3.5", "3.6", "4.5", "5.4", "5.5", "5.6"]), rng.choice(SIGNS))
        albumin = (rng.choice(["", "34.9", "35.0", "35.1"]), rng.choice(SIGNS))
        ldh = (rng.choice(["", "249.9", "250.0", "250.1"]), rng.choice(SIGNS))
        fish = [rng.choice(("Y", "N", "N", "N", "U", "")) for _ in range(3)]
        cases.append((b2m, albumin, ldh, fish))
    header = (
        "usubjid | timepoint | b2m | b2m_comparator | albumin | albumin_comparator | ldh"
        " | ldh_comparator | ldh_uln | del_17p | t_4_14 | t_14_16"
    )
    found = plain_each(
        {
            "risk": f"{header}\nMYE-DE01-A | BEFORE_CART | "
            + " | ".join([*b2m, *albumin, *ldh, "250", *fish])
        }
        for b2m, albumin, ldh, fish in cases
    )
    wanted = []
    for b2m, albumin, ldh, fish in cases:
        stages = {
            iss(*values)
            for values in itertools.product(
                could_be(*b2m, b2m_grid), could_be(*albumin, albumin_grid)
            )
        }
        ldh_high = {value > 250 for value in could_be(*ldh, ldh_grid)}
        completions = itertools.product(*([f] if f in ("Y", "N") else ["Y", "N"] for f in fish))
        fish_high = {"Y" in completion for completion in completions}
        r_stages = {r_iss(*each) for each in itertools.product(stages, ldh_high, fish_high)}
        wanted.append(("/".join(sorted(stages)), "/".join(sorted(r_stages))))
    assert [(row["ISSDP"], row["RISSDP"]) for row in found] == wanted
    assert len(set(wanted)) >= 12


ABNORMALITIES = (
    "del_17p", "t_4_14", "t_14_16", "t_14_20", "gain_1q", "del_1p", "tp53_mutation",
    "del_1p_biallelic",
)  # fmt: skip


def definitions(has: dict[str, bool], share: float, b2m: float, creatinine: float) -> list[bool]:
    translocation = has["t_4_14"] or has["t_14_16"]
    first = has["del_17p"] or translocation
    second = first or has["t_14_20"] or has["gain_1q"] or has["del_1p"] or has["tp53_mutation"]
    third = (
        ((has["del_17p"] or has["tp53_mutation"]) and share >= 20)
        or ((translocation or has["t_14_20"]) and (has["gain_1q"] or has["del_1p"]))
        or (has["del_1p"] and has["gain_1q"])
        or (has["del_1p"] and has["del_1p_biallelic"])
        or (b2m >= 5.5 and creatinine < 1.2)
    )
    return [first, second, third]


def test_high_risk_is_told_only_if_every_completion_agrees(plain_each):
    rng = random.Random(20252)
    cases = []
    for _ in range(250):
        flags = {name: rng.choice(("Y", "N", "N", "N", "")) for name in ABNORMALITIES}
        measured = {
            "del_17p_share": rng.choice(("", "10", "19.9", "20", "60")),
            "b2m": rng.choice(("", "5.4", "5.5", "3.0")),
            "creatinine": rng.choice(("", "1.1", "1.2")),
        }
        cases.append(flags | measured)
    names = list(cases[0])
    found = plain_each(
        {
            "risk": f"usubjid | timepoint | {' | '.join(names)}\n"
            f"MYE-DE01-A | BEFORE_CART | {' | '.join(case[name] for name in names)}"
        }
        for case in cases
    )
    for case, row in zip(cases, found, strict=True):
        open_flags = [name for name in ABNORMALITIES if not case[name]]
        share = case["del_17p_share"]
        # A small share known of one abnormality says nothing of another that nobody tested.
        untested = not case["del_17p"] or not case["tp53_mutation"]
        shares = [0.0, 100.0] if not share or (float(share) < 20 and untested) else [float(share)]
        b2m = [float(case["b2m"])] if case["b2m"] else [3.0, 6.0]
        creatinine = [float(case["creatinine"])] if case["creatinine"] else [0.8, 2.0]
        results = [
            definitions(
                {n: case[n] == "Y" for n in ABNORMALITIES}
                | dict(zip(open_flags, filled, strict=True)),
                *measured,
            )
            for filled in itertools.product((True, False), repeat=len(open_flags))
            for measured in itertools.product(shares, b2m, creatinine)
        ]
        agreed = [
            {True: "Y", False: "N"}[column[0]] if len(set(column)) == 1 else None
            for column in zip(*results, strict=True)
        ]
        assert [row["HRCYTO"], row["HRCYEXT"], row["HRCYIMS"]] == agreed, case
