"""The response criteria read a second time, from the dossier, in plain Python and exact decimals.

One line of therapy at a time, category by category from the top: each category is a list of
conditions that are true, false or not known. The category is the highest without a false condition;
one that is not known costs a level. Shares nothing with the production code.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

Row = dict[str, Any]
Verdict = bool | None
DEPTH = {"sCR": 7, "CR": 6, "VGPR": 5, "PR": 4, "MR": 3, "SD": 2, "PD": 1, "NE": 0}


def number(row: Row, name: str) -> Decimal | None:
    value = row.get(name)
    return None if value is None else Decimal(str(value))


def protein(row: Row, fluid: str) -> Decimal | None:
    """The M-protein; a negative immunofixation without electrophoresis is none."""
    value = number(row, f"m_{fluid}")
    if value is None and row.get(f"ife_{fluid}") == "NEGATIVE":
        return Decimal(0)
    return value


def fell(base: Decimal, now: Decimal, percent: int) -> bool:
    return base > 0 and (base - now) * 100 >= base * percent


def all_known(*verdicts: Verdict) -> Verdict:
    if False in verdicts:
        return False
    return None if None in verdicts else True


class Line:
    """The assessments of one line in order of date."""

    def __init__(self, rows: list[Row], relapsed: bool = True, confirmed_nadir: bool = False):
        self.relapsed = relapsed
        self.confirmed_nadir = confirmed_nadir
        rows = sorted(rows, key=lambda r: r["assessed_on"])
        marked = [r["assessed_on"] for r in rows if r.get("is_baseline")]
        start = rows[0].get("line_start")
        early = [r["assessed_on"] for r in rows if start and r["assessed_on"] <= start]
        days = marked or early
        self.baseline_day = max(days) if days else None
        split = [
            self.baseline_day is not None and r["assessed_on"] <= self.baseline_day for r in rows
        ]
        self.before = [r for r, is_before in zip(rows, split, strict=True) if is_before]
        self.after = [r for r, is_before in zip(rows, split, strict=True) if not is_before]
        self.read_baseline(rows)

    def read_baseline(self, rows: list[Row]) -> None:
        def last(values: list[Decimal | None]) -> Decimal | None:
            known = [v for v in values if v is not None]
            return known[-1] if known else None

        self.serum = last([protein(r, "serum") for r in self.before])
        self.urine = last([protein(r, "urine") for r in self.before])
        self.marrow = last([number(r, "marrow") for r in self.before])
        self.spd = last([number(r, "plasmacytoma_spd") for r in self.before])
        self.had_plasmacytoma = bool(self.spd) or any(r.get("plasmacytoma_before") for r in rows)
        self.diameter = last([number(r, "lesion_diameter") for r in self.before])
        pairs = [
            (number(r, "flc_kappa"), number(r, "flc_lambda"))
            for r in self.before
            if r.get("flc_kappa") is not None and r.get("flc_lambda") is not None
        ]
        self.pair = pairs[-1] if pairs else None
        given = [r["involved_chain"] for r in rows if r.get("involved_chain")]
        self.chain = given[0] if given else self.leaning()
        self.dflc = self.difference(*self.pair) if self.pair else None
        self.serum_ok = None if self.serum is None else self.serum >= 10
        self.urine_ok = None if self.urine is None else self.urine >= 200
        self.flc_ok = self.flc_measurable()
        self.kind = self.find_kind()

    def leaning(self) -> str | None:
        if not self.pair or self.pair == (0, 0):
            return None
        kappa, lambda_ = self.pair
        if kappa > Decimal("1.65") * lambda_:
            return "KAPPA"
        return "LAMBDA" if kappa < Decimal("0.26") * lambda_ else None

    def later_difference(self, row: Row) -> Decimal | None:
        """Not known once the other chain is the one in measurable excess."""
        kappa, lambda_ = number(row, "flc_kappa"), number(row, "flc_lambda")
        return None if self.switched(row) else self.difference(kappa, lambda_)

    def switched(self, row: Row) -> bool:
        kappa, lambda_ = number(row, "flc_kappa"), number(row, "flc_lambda")
        if kappa is None or lambda_ is None or normal_ratio(kappa, lambda_):
            return False
        other = lambda_ if self.chain == "KAPPA" else kappa
        return self.chain is not None and other == max(kappa, lambda_) and other >= 100

    def difference(self, kappa: Decimal | None, lambda_: Decimal | None) -> Decimal | None:
        if kappa is None or lambda_ is None or self.chain is None:
            return None
        return kappa - lambda_ if self.chain == "KAPPA" else lambda_ - kappa

    def flc_measurable(self) -> Verdict:
        if not self.pair:
            return None
        kappa, lambda_ = self.pair
        if normal_ratio(kappa, lambda_) or max(kappa, lambda_) < 100:
            return False
        if self.chain is None:
            return None
        return (kappa if self.chain == "KAPPA" else lambda_) >= 100

    def find_kind(self) -> str:
        if self.serum_ok or self.urine_ok:
            return (
                "SERUM_URINE"
                if self.serum_ok and self.urine_ok
                else ("SERUM" if self.serum_ok else "URINE")
            )
        if self.serum_ok is None or self.urine_ok is None or self.flc_ok is None:
            return "UNKNOWN"
        if self.flc_ok:
            return "FLC"
        if self.marrow is None:
            return "UNKNOWN"
        return "MARROW" if self.marrow >= 30 else "NONE"

    # --- what is known at one assessment -----------------------------------------------------

    def at(self, i: int, name: str) -> Decimal | None:
        """Last value of what need not be repeated, since the baseline."""
        for row in reversed(self.after[: i + 1]):
            value = number(row, name)
            few = value is not None and name == "marrow" and value < 5
            if value is not None and not (few and row.get("marrow_by_flow")):
                return value
        return None

    def clean(self, i: int) -> bool:
        for row in reversed(self.after[: i + 1]):
            if row.get("clonal_marrow"):
                return row["clonal_marrow"] == "NEGATIVE"
        return False

    def unseen(self, i: int, fluid: str) -> Verdict:
        """No M-protein on immunofixation."""
        row = self.after[i]
        fixation, value = row.get(f"ife_{fluid}"), number(row, f"m_{fluid}")
        if fixation == "POSITIVE" or (value or 0) > 0:
            return False
        if fixation == "NEGATIVE":
            return True
        return None if value is None else False

    def few_cells(self, i: int) -> Verdict:
        marrow = self.at(i, "marrow")
        return None if marrow is None else marrow < 5

    def plasmacytoma_gone(self, i: int, imaging_needed: bool = False) -> Verdict:
        size = self.at(i, "plasmacytoma_spd")
        if size is not None:
            return size == 0
        return None if self.had_plasmacytoma or imaging_needed else True

    def plasmacytoma_halved(self, i: int) -> Verdict:
        size = self.at(i, "plasmacytoma_spd")
        if size == 0:
            return True
        if size is None:
            return None if self.had_plasmacytoma else True
        return None if self.spd is None else fell(self.spd, size, 50)

    def serum_fell(self, i: int, percent: int) -> Verdict:
        value = protein(self.after[i], "serum")
        if self.serum_ok is False:
            return True
        if value is None:
            return None
        if self.serum is None:
            return True if value == 0 else None
        return fell(self.serum, value, percent)

    def urine_fell(self, i: int, percent: int | None, below: int) -> Verdict:
        value = protein(self.after[i], "urine")
        if value is None:
            small = self.urine_ok is False and self.urine is not None and self.urine < below
            return True if small else None
        if value < below:
            return True
        if percent is None:
            return False
        if self.urine is None:
            return None
        return bool(self.urine_ok) and fell(self.urine, value, percent)

    # --- categories ----------------------------------------------------------------------------

    def category(self, i: int) -> tuple[str, tuple[str, ...]]:
        bases = self.progression(i)
        if bases:
            return "PD", bases
        ladder = self.ladder(i)
        if ladder is None:
            return "NE", ()
        names = [name for name, _ in ladder] + ["NE"]
        position = next(p for p, (_, verdict) in enumerate(ladder) if verdict is not False)
        if ladder[position][1] is None:
            position += 1
        name = names[position]
        if name == "CR" and self.ratio_normal(i) and self.clean(i):
            name = "sCR"
        return name, ()

    def ratio_normal(self, i: int) -> bool:
        row = self.after[i]
        kappa, lambda_ = number(row, "flc_kappa"), number(row, "flc_lambda")
        return kappa is not None and lambda_ is not None and normal_ratio(kappa, lambda_)

    def ladder(self, i: int) -> list[tuple[str, Verdict]] | None:
        if self.kind in ("SERUM", "URINE", "SERUM_URINE"):
            return self.protein_ladder(i)
        if self.kind == "FLC":
            return self.flc_ladder(i)
        if self.kind == "MARROW":
            return self.marrow_ladder(i)
        whole = all_known(
            self.unseen(i, "serum"),
            self.unseen(i, "urine"),
            self.few_cells(i),
            self.plasmacytoma_gone(i),
            self.ratio_normal(i),
        )
        return [("CR", True)] if whole else None

    def protein_ladder(self, i: int) -> list[tuple[str, Verdict]] | None:
        row = self.after[i]
        measured = (self.serum_ok and protein(row, "serum") is not None) or (
            self.urine_ok and protein(row, "urine") is not None
        )
        if not measured:
            return None
        gone, halved = self.plasmacytoma_gone(i), self.plasmacytoma_halved(i)
        unseen = all_known(self.unseen(i, "serum"), self.unseen(i, "urine"))
        steps = [
            ("CR", all_known(unseen, self.few_cells(i), gone)),
            ("VGPR", all_known(self.serum_fell(i, 90), self.urine_fell(i, None, 100), halved)),
            ("PR", all_known(self.serum_fell(i, 50), self.urine_fell(i, 90, 200), halved)),
        ]
        if self.relapsed:
            steps.append(
                ("MR", all_known(self.serum_fell(i, 25), self.urine_fell(i, 50, 200), halved))
            )
        return [*steps, ("SD", self.all_elements_known(i, halved))]

    def all_elements_known(self, i: int, halved: Verdict) -> Verdict:
        """Stable disease needs every element; with one missing nothing can be said."""
        known = (
            self.serum_fell(i, 1) is not None
            and self.urine_fell(i, 1, 200) is not None
            and halved is not None
        )
        return True if known else None

    def flc_ladder(self, i: int) -> list[tuple[str, Verdict]] | None:
        row = self.after[i]
        now = self.later_difference(row)
        if now is None or self.dflc is None or self.dflc <= 0:
            return None
        halved = self.plasmacytoma_halved(i)
        unseen = all_known(self.unseen(i, "serum"), self.unseen(i, "urine"))
        complete = all_known(
            unseen, self.ratio_normal(i), self.few_cells(i), self.plasmacytoma_gone(i)
        )
        return [
            ("CR", complete),
            ("VGPR", all_known(fell(self.dflc, now, 90), halved)),
            ("PR", all_known(fell(self.dflc, now, 50), halved)),
            ("SD", True if halved is not None else None),
        ]

    def marrow_ladder(self, i: int) -> list[tuple[str, Verdict]] | None:
        now = number(self.after[i], "marrow")
        if now is None or self.marrow is None:
            return None
        halved = self.plasmacytoma_halved(i)
        seen = False in (self.unseen_or_zero(i, "serum"), self.unseen_or_zero(i, "urine"))
        complete = all_known(
            not seen, self.few_cells(i) is True, self.plasmacytoma_gone(i, imaging_needed=True)
        )
        return [
            ("CR", complete),
            ("PR", all_known(fell(self.marrow, now, 50), halved)),
            ("SD", True if halved is not None else None),
        ]

    def unseen_or_zero(self, i: int, fluid: str) -> bool:
        row = self.after[i]
        return not (row.get(f"ife_{fluid}") == "POSITIVE" or (number(row, f"m_{fluid}") or 0) > 0)

    # --- progression ---------------------------------------------------------------------------

    def nadir(self, i: int, values: list[Decimal | None], base: Decimal | None) -> Decimal | None:
        known = [v for v in values[:i] if v is not None]
        if self.confirmed_nadir:
            known = [max(a, b) for a, b in zip(known, known[1:], strict=False)]
        return min([*known, *([] if base is None else [base])], default=None)

    def chain_nadir(
        self, i: int, values: list[Decimal | None], base: Decimal | None
    ) -> Decimal | None:
        """Less than no involved chain there is not, however much there is of the other."""
        low = self.nadir(i, values, base)
        return None if low is None else max(low, Decimal(0))

    @cached_property
    def series(self) -> dict[str, list[Decimal | None]]:
        """What each assessment after the baseline measured."""
        rows = self.after
        return {
            "SERUM": [protein(r, "serum") for r in rows],
            "URINE": [protein(r, "urine") for r in rows],
            "FLC": [self.later_difference(r) for r in rows],
            "MARROW": [number(r, "marrow") for r in rows],
            "SPD": [number(r, "plasmacytoma_spd") for r in rows],
            "DIAMETER": [number(r, "lesion_diameter") for r in rows],
        }

    def progression(self, i: int) -> tuple[str, ...]:
        row, found = self.after[i], []
        no_protein = self.serum_ok is False and self.urine_ok is False
        serum = self.series["SERUM"]
        low = self.nadir(i, serum, self.serum)
        if serum[i] is not None and low is not None:
            rise = serum[i] - low
            if (rise >= 5 and rise * 4 >= low) or (low >= 50 and rise >= 10):
                found.append("SERUM")
        urine = self.series["URINE"]
        low = self.nadir(i, urine, self.urine)
        if urine[i] is not None and low is not None:
            rise = urine[i] - low
            if rise >= 200 and rise * 4 >= low:
                found.append("URINE")
        dflc = self.series["FLC"]
        low = self.chain_nadir(i, dflc, self.dflc)
        if no_protein and dflc[i] is not None and low is not None:
            rise = dflc[i] - low
            if rise > 100 and rise * 4 >= low:
                found.append("FLC")
        marrow = self.series["MARROW"]
        low = self.nadir(i, marrow, self.marrow)
        if no_protein and self.flc_ok is False and marrow[i] is not None and low is not None:
            rise = marrow[i] - low
            if rise >= 10 and rise * 4 >= low:
                found.append("MARROW")
        if row.get("new_lesion") or row.get("progression_basis") == "IMAGING" or self.larger(i):
            found.append("IMAGING")
        if row.get("progression_basis") == "CLINICAL":
            found.append("CLINICAL")
        return tuple(found)

    def larger(self, i: int) -> bool:
        row = self.after[i]
        spd = self.series["SPD"]
        low = self.nadir(i, spd, self.spd)
        if spd[i] is not None and low is not None:
            if low == 0 and spd[i] > 0:
                return True
            if low > 0 and (row.get("n_lesions") or 0) > 1 and spd[i] * 2 >= low * 3:
                return True
        diameter = self.series["DIAMETER"]
        low = self.nadir(i, diameter, self.diameter)
        axes = [number(r, "lesion_short_axis") for r in [*self.before, *self.after[:i]]]
        axes = [a for a in axes if a is not None]
        return bool(
            diameter[i] is not None
            and low
            and axes
            and axes[-1] > 10
            and diameter[i] * 2 >= low * 3
        )

    def numbers(self, i: int) -> dict[str, tuple[Decimal | None, Decimal | None, Decimal | None]]:
        """Baseline, value and nadir of each test."""
        bases = {"SERUM": self.serum, "URINE": self.urine, "FLC": self.dflc, "MARROW": self.marrow}
        tests = {name: (base, self.series[name]) for name, base in bases.items()}
        return {
            name: (
                base,
                values[i],
                (self.chain_nadir if name == "FLC" else self.nadir)(i, values, base),
            )
            for name, (base, values) in tests.items()
        }

    # --- the whole line ------------------------------------------------------------------------

    def named(self) -> list[tuple[dt.date, str]]:
        """Day and category of each assessment after the baseline."""
        days = [r["assessed_on"] for r in self.after]
        return [(day, name) for day, (name, _) in zip(days, self.categories, strict=True)]

    @cached_property
    def categories(self) -> list[tuple[str, tuple[str, ...]]]:
        """The category of each assessment after the baseline."""
        return [self.category(i) for i in range(len(self.after))]

    def read(self, next_therapy: Sequence[tuple[dt.date, str]] = ()) -> list[dict[str, Any]]:
        """One dictionary per assessment after the baseline.

        `next_therapy`: day and category of the assessments of the patient's later lines.
        """
        found = self.categories
        names = [name for name, _ in found]
        days = [r["assessed_on"] for r in self.after]
        new_line = self.after[0].get("next_line_on") if self.after else None
        held: str | None = None
        read = []
        for i, (name, bases) in enumerate(found):
            later = list(zip(days[i + 1 :], names[i + 1 :], strict=True))
            if name == "PD":
                standing, flag = confirmed_progression(
                    days[i], bases, later, new_line, next_therapy
                )
            else:
                standing, flag = confirmed_response(name, later, new_line)
            order = {**DEPTH, "PD": 8}
            if held is None or order[standing] > order[held]:
                held = standing
            read.append(
                {"on": days[i], "category": name, "pd_basis": "|".join(bases) or None,
                 "confirmed": held, "confirmation": flag}
            )  # fmt: skip
        return read


def confirmed_response(
    name: str, later: Sequence[tuple[dt.date, str]], new_line: dt.date | None
) -> tuple[str, str | None]:
    """Standing category and Y, N or U: two assessments in a row before any new therapy."""
    if name in ("NE", "SD"):
        return name, None
    following = next(((day, other) for day, other in later if other != "NE"), None)
    if following is None or (new_line and following[0] > new_line):
        return "SD", "U"
    if following[1] == "PD":
        return "SD", "N"
    if DEPTH[following[1]] >= DEPTH[name]:
        return name, "Y"
    return following[1], "N"


def confirmed_progression(
    day: dt.date,
    bases: tuple[str, ...],
    later: Sequence[tuple[dt.date, str]],
    new_line: dt.date | None,
    next_therapy: Sequence[tuple[dt.date, str]],
) -> tuple[str, str | None]:
    """Standing category and Y, N or U.

    Biochemical progression needs a second assessment that shows one: the next of the line or, if
    there is none before the next therapy, the next one on it. That the next therapy works does not
    speak against the progression.
    """
    if {"MARROW", "IMAGING", "CLINICAL"} & set(bases):
        return "PD", "Y"
    own = next(((d, other) for d, other in later if other != "NE"), None)
    if own is not None and not (new_line and own[0] > new_line):
        return ("PD", "Y") if own[1] == "PD" else ("NE", "N")
    seen = [own] if own is not None else []
    seen += [(d, other) for d, other in next_therapy if d > day and other != "NE"]
    following = min(seen, key=lambda entry: entry[0], default=None)
    return ("PD", "Y") if following is not None and following[1] == "PD" else ("NE", "U")


def normal_ratio(kappa: Decimal, lambda_: Decimal) -> bool:
    if kappa == 0 and lambda_ == 0:
        return False
    return Decimal("0.26") * lambda_ <= kappa <= Decimal("1.65") * lambda_


def best(read: list[dict[str, Any]], new_line: dt.date | None) -> tuple[str | None, str | None]:
    """Best and best confirmed response, up to progression and the next line."""
    inside = [r for r in read if new_line is None or r["on"] <= new_line]
    until = next((p for p, r in enumerate(read) if r["category"] == "PD"), len(read))
    window = [r for r in read[: until + 1] if r in inside]
    return (
        max((r["category"] for r in window), key=DEPTH.__getitem__, default=None),
        max((r["confirmed"] for r in inside), key=DEPTH.__getitem__, default=None),
    )
