"""Letters whose meaning the other values of the same column of the same delivery decide."""

from __future__ import annotations

SPEC = (
    "center: {{id: {id}, name: Test center, country: {country}}}\nlanguage: {language}\n"
    "sources:\n  p: {{file: p.csv, patient_id: ID}}\n"
    "tables:\n  - table: subject\n    from: p\n    columns: {{sex: {rule}}}\n"
)
SPAIN = SPEC.format(id="ES01", country="ES", language="es", rule="Sexo")
GERMANY = SPEC.format(id="DE01", country="DE", language="de", rule="Sexo")


def sexes(deliver, spec: str, *values: str) -> list[str | None]:
    rows = "".join(f"{n},{value}\n" for n, value in enumerate(values))
    got = deliver(spec, p__csv=f"ID,Sexo\n{rows}")
    return [sex for (sex,) in got.values("subject", "sex")]


def test_m_beside_h_is_mujer_in_its_own_delivery_only(deliver) -> None:
    for center in (GERMANY, SPAIN):
        assert sexes(deliver, center, "H") == ["M"]
        assert sexes(deliver, center, "H", "M", "M") == ["M", "F", "F"]
        assert sexes(deliver, center, "M", "F") == ["M", "F"]
        assert sexes(deliver, center, "M", "H") == ["F", "M"]


def test_m_alone_is_male_in_german_and_asked_about_in_spanish(deliver) -> None:
    assert sexes(deliver, SPAIN, "H", "M") == ["M", "F"]
    assert sexes(deliver, GERMANY, "M", "M") == ["M", "M"]
    got = deliver(SPAIN, p__csv="ID,Sexo\n1,M\n2,M\n")
    assert got.values("subject", "sex") == [(None,), (None,)]
    assert got.rules() == [("subject", 0, "sex", "STR-06"), ("subject", 1, "sex", "STR-06")]


def test_all_files_of_a_source_are_one_column(deliver) -> None:
    spec = GERMANY.replace("file: p.csv", "file: 'p*.csv'")
    got = deliver(spec, p1__csv="ID,Sexo\n1,H\n", p2__csv="ID,Sexo\n2,M\n")
    assert got.values("subject", "patient_id", "sex") == [("1", "M"), ("2", "F")]


def test_the_centers_own_codes_settle_the_letter_and_count_as_values_of_the_column(deliver) -> None:
    declared = SPEC.format(
        id="ES01", country="ES", language="es", rule="{column: Sexo, map: {M: M, H: M}}"
    )
    assert sexes(deliver, declared, "H", "M") == ["M", "M"]
    half = SPEC.format(id="ES01", country="ES", language="es", rule="{column: Sexo, map: {H: M}}")
    assert sexes(deliver, half, "H", "M") == ["M", "F"]


def test_two_columns_of_one_delivery_decide_each_for_itself(deliver) -> None:
    spec = (
        "sources:\n  p: {file: p.csv, patient_id: ID}\n  q: {file: q.csv, patient_id: ID}\ntables:\n"
        "  - {table: subject, from: p, columns: {sex: Sexo}}\n"
        "  - {table: subject, from: q, columns: {sex: Sex}}\n"
    )
    got = deliver(spec, p__csv="ID,Sexo\n1,H\n2,M\n", q__csv="ID,Sex\n3,F\n4,M\n")
    assert got.values("subject", "patient_id", "sex") == [("1", "M"), ("2", "F"), ("3", "F"), ("4", "M")]  # fmt: skip


def test_the_picked_part_of_a_cell_is_what_decides(deliver) -> None:
    rule = "{regex: {column: Sexo, pattern: '^s=(.*)$'}}"
    spec = SPEC.format(id="DE01", country="DE", language="de", rule=rule)
    assert sexes(deliver, spec, "s=H", "s=M") == ["M", "F"]
