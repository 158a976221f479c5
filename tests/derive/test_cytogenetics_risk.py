"""High-risk cytogenetics under three definitions; what was not tested is never standard risk."""

CLEAR = {
    "del_17p": "N", "t_4_14": "N", "t_14_16": "N", "t_14_20": "N", "gain_1q": "N", "del_1p": "N",
    "tp53_mutation": "N", "b2m": "3.0", "creatinine": "0.9",
}  # fmt: skip


def risk(*points: dict[str, str]) -> str:
    names = sorted({name for point in points for name in point} | {"timepoint"})
    lines = [" | ".join(["usubjid", *names])]
    for point in points:
        full = {"timepoint": "BEFORE_CART", **point}
        lines.append(" | ".join(["MYE-DE01-A", *(full.get(name, "") for name in names)]))
    return "\n".join(lines)


def flags(row) -> tuple[str | None, ...]:
    return row["HRCYTO"], row["HRCYEXT"], row["HRCYIMS"]


# What differs from a patient in whom everything was tested and nothing found: the three flags.
CASES: list[tuple[dict[str, str], tuple[str | None, ...]]] = [
    ({}, ("N", "N", "N")),
    ({"del_17p": "Y"}, ("Y", "Y", None)),
    ({"del_17p": "Y", "del_17p_share": "20"}, ("Y", "Y", "Y")),
    ({"del_17p": "Y", "del_17p_share": "19.9"}, ("Y", "Y", "N")),
    ({"del_17p": "Y", "del_17p_share": "10", "tp53_mutation": ""}, ("Y", "Y", None)),
    ({"tp53_mutation": "Y", "del_17p_share": "45"}, ("N", "Y", "Y")),
    ({"tp53_mutation": "Y"}, ("N", "Y", None)),
    ({"tp53_mutation": ""}, ("N", None, None)),
    ({"t_4_14": "Y"}, ("Y", "Y", "N")),
    ({"t_4_14": "Y", "gain_1q": "Y"}, ("Y", "Y", "Y")),
    ({"t_14_16": "Y", "del_1p": "Y"}, ("Y", "Y", "Y")),
    ({"t_14_16": "Y", "gain_1q": "U"}, ("Y", "Y", None)),
    ({"t_14_20": "Y"}, ("N", "Y", "N")),
    ({"t_14_20": "Y", "gain_1q": "Y"}, ("N", "Y", "Y")),
    ({"gain_1q": "Y"}, ("N", "Y", "N")),
    ({"gain_1q": "Y", "del_1p": "Y"}, ("N", "Y", "Y")),
    ({"del_1p": "Y"}, ("N", "Y", None)),
    ({"del_1p": "Y", "del_1p_biallelic": "Y"}, ("N", "Y", "Y")),
    ({"del_1p": "Y", "del_1p_biallelic": "N"}, ("N", "Y", "N")),
    ({"b2m": "5.5", "creatinine": "1.19"}, ("N", "N", "Y")),
    ({"b2m": "5.5", "creatinine": "1.2"}, ("N", "N", "N")),
    ({"b2m": "5.4", "creatinine": "0.8"}, ("N", "N", "N")),
    ({"b2m": "6.0", "creatinine": ""}, ("N", "N", None)),
    # Whatever t(14;16) is: without 1q gain and del(1p) it is not high risk by the third definition.
    ({"t_14_16": ""}, (None, None, "N")),
    ({"t_14_16": "", "gain_1q": ""}, (None, None, None)),
    ({"t_14_16": "U", "t_4_14": "Y"}, ("Y", "Y", "N")),
]


def test_each_definition_is_judged_on_what_was_tested(plain_each):
    found = plain_each({"risk": risk({**CLEAR, **changes})} for changes, _ in CASES)
    assert [(changes, flags(row)) for (changes, _), row in zip(CASES, found, strict=True)] == CASES


def test_without_any_test_no_definition_says_standard_risk(plain_each):
    tick = risk({"r_iss": "I", "high_risk_cytogenetics": "N"})
    assert [flags(row) for row in plain_each([{}, {"risk": tick}])] == [(None, None, None)] * 2


def test_an_abnormality_found_once_before_car_t_counts_and_one_found_after_it_does_not(plain_each):
    at_diagnosis = {"timepoint": "DIAGNOSIS", "t_4_14": "Y"}
    at_relapse = {"timepoint": "RELAPSE", "del_17p": "Y"}
    points = [(at_diagnosis, CLEAR), (CLEAR, at_relapse), (at_relapse,)]
    found = plain_each({"risk": risk(*case)} for case in points)
    assert [row["HRCYTO"] for row in found] == ["Y", "N", None]


def test_a_time_point_that_leaves_a_measured_clause_open_is_not_overruled_by_another(plain_each):
    large_or_small = {"timepoint": "DIAGNOSIS", "del_17p": "Y"}
    small = {**CLEAR, "del_17p": "Y", "del_17p_share": "5"}
    found = plain_each({"risk": risk(*points)} for points in ((small,), (large_or_small, small)))
    assert [row["HRCYIMS"] for row in found] == ["N", None]


def test_the_tick_of_the_center_is_kept_apart_and_compared(plain_each):
    cases = [
        ("Y", {"del_17p": "Y"}, ("Y", "N")),
        ("Y", {}, ("Y", "Y")),
        ("N", {}, ("N", "N")),
        ("N", {"t_4_14": "Y"}, ("N", "Y")),
        ("Y", {"t_14_16": ""}, ("Y", None)),
        ("U", {}, (None, None)),
    ]
    found = plain_each(
        {"risk": risk({**CLEAR, **changes, "high_risk_cytogenetics": tick})}
        for tick, changes, _ in cases
    )
    assert [(row["HRCYREP"], row["HRCYDIF"]) for row in found] == [case[2] for case in cases]
