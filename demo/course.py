"""What happens after relapse: lines, responses, progressions, lesions, toxicities and samples."""

from __future__ import annotations

import datetime as dt
import random

from demo import regimens
from demo.dates import LAST_EVENT, days
from demo.model import Assessment, Lab, Lesion, Line, Patient, Toxicity

EXTRAOSSEOUS = ("LIVER", "LYMPH_NODE", "SKIN", "KIDNEY", "PLEURA", "LUNG", "MUSCLE", "PANCREAS")
PARAOSSEOUS = ("PARAVERTEBRAL", "CHEST_WALL", "EPIDURAL")


def fill_course(rng: random.Random, p: Patient, start: dt.date, first: str) -> None:
    """Set everything from first salvage on; nothing lies after death or `LAST_EVENT`."""
    limit = (p.death - days(1)) if p.death else LAST_EVENT
    p.lines = [_first_line(rng, p, start, first, limit)]
    if p.subsequent:
        _further_lines(rng, p, limit)
    p.lines[-1].stop_reason, p.lines[-1].end = _stop(p, p.lines[-1])
    if p.death:
        p.death_cause = "MYELOMA" if p.lines[-1].progression else rng.choice(
            ("INFECTION", "TOXICITY", "OTHER", "UNKNOWN")
        )  # fmt: skip
        if p.death_cause == "TOXICITY" and p.death - p.infusion > days(365):
            p.death_cause = "OTHER"  # nobody dies of the infusion that late
    _relapse(rng, p)
    _assessments(rng, p, limit)
    _labs(rng, p, limit)
    _toxicities(rng, p)
    latest = max(event_dates(p))
    if not p.death:
        open_days = (dt.date(2024, 6, 12) - max(latest, dt.date(2024, 4, 2))).days
        p.first_contact = dt.date(2024, 6, 12) - days(rng.randint(0, open_days))


def event_dates(p: Patient) -> list[dt.date]:
    """Every date at which something happened to the patient, contacts and death left out."""
    found = [p.infusion, p.relapse, *(a.date for a in p.assessments), *(s.date for s in p.labs)]
    found += [lesion.date for lesion in p.lesions]
    for line in p.lines:
        found += [d for d in (line.start, line.end, line.best_date, line.progression) if d]
    return found + [t.end for t in p.toxicities if t.end]


def _first_line(
    rng: random.Random, p: Patient, start: dt.date, regimen: str, limit: dt.date
) -> Line:
    room = (limit - start).days - (38 if p.subsequent else 4)
    if p.response != "LTPR":
        best_date = start + days(min(rng.randint(24, 80), max(room * 2 // 3, 14)))
        progression = None
        relapses = p.subsequent or (p.dead and rng.random() < 0.8)
        if relapses or (p.response == "PR" and rng.random() < 0.25):
            lead = (best_date - start).days + 10
            if lead < room:
                progression = start + days(rng.randint(lead, room))
        best = "sCR" if p.response == "CR" and rng.random() < 0.3 else p.response
        return Line(1, start, progression, regimen, "", best, best_date, progression)
    if room < 12:
        return Line(1, start, None, regimen, "", "NE", None, None)
    best = rng.choices(("SD", "PD", "MR"), (45, 40, 15))[0]
    progression = None
    if p.subsequent or p.dead or rng.random() < 0.6:
        progression = start + days(rng.randint(min(11, room), min(room, 120)))
    if best == "PD" and progression is None:
        best = "SD"
    if best != "PD" and progression and (progression - start).days < 20:
        best = "PD"
    if best == "PD":
        return Line(1, start, progression, regimen, "", best, progression, progression)
    upper = (progression - start).days - 4 if progression else min(room, 60)
    best_date = start + days(rng.randint(8, max(8, min(upper, 45))))
    return Line(1, start, progression, regimen, "", best, best_date, progression)


def _further_lines(rng: random.Random, p: Patient, limit: dt.date) -> None:
    """Second line after the progression of the first, now and then a third and a fourth."""
    group = regimens.REGIMENS[p.lines[0].regimen].group
    for number in (2, 3, 4):
        before = p.lines[-1]
        earliest = max((before.progression or before.start) + days(3), before.start + days(35))
        latest = limit - days(4)
        if earliest > latest or (number > 2 and (before.progression is None or rng.random() < 0.4)):
            break
        start = min(earliest + days(rng.randint(0, 20)), latest)
        before.end = before.progression or start - days(3)
        before.stop_reason = "PROGRESSION" if before.progression else "OTHER"
        used = {line.regimen for line in p.lines}
        options = [r for r in regimens.LATER if r not in used and (r != group)]
        p.lines.append(_later_line(rng, number, start, rng.choice(options), limit))


def _later_line(
    rng: random.Random, number: int, start: dt.date, regimen: str, limit: dt.date
) -> Line:
    room = (limit - start).days
    if room < 30:
        return Line(number, start, None, regimen, "", "NE", None, None)
    best = rng.choices(("VGPR", "PR", "SD", "PD"), (10, 25, 35, 30))[0]
    progression = (
        start + days(rng.randint(24, room)) if best == "PD" or rng.random() < 0.6 else None
    )
    best_date = progression if best == "PD" else start + days(rng.randint(12, 22))
    return Line(number, start, progression, regimen, "", best, best_date, progression)


def _stop(p: Patient, line: Line) -> tuple[str, dt.date | None]:
    if line.progression:
        return "PROGRESSION", line.progression
    return ("DEATH", p.death) if p.death else ("ONGOING", None)


def _relapse(rng: random.Random, p: Patient) -> None:
    p.relapse_type = "CLINICAL" if p.emd else rng.choice(("BIOCHEMICAL", "CLINICAL", "PROGRESSION"))
    p.basis = "IMAGING" if p.emd else rng.choice(("SERUM", "FLC", "MARROW", "SERUM"))
    p.cart_response = "PD" if p.months_days < 40 else rng.choice(("CR", "VGPR", "PR", "sCR"))
    modality = rng.choice(("PET_CT", "PET_CT", "CT", "MRI"))
    seen = p.relapse + days(rng.randint(0, 2))
    sites = rng.sample(EXTRAOSSEOUS, rng.choice((1, 1, 2))) if p.emd else []
    p.lesions = [
        Lesion(site, "EXTRAOSSEOUS", modality, seen, rng.randint(11, 88)) for site in sites
    ]
    if rng.random() < 0.15:
        p.lesions.append(
            Lesion(rng.choice(PARAOSSEOUS), "PARAOSSEOUS", modality, seen, rng.randint(12, 60))
        )


def _assessments(rng: random.Random, p: Patient, limit: dt.date) -> None:
    """Two to five assessments of the first line: from no change to the best response, then PD."""
    line = p.lines[0]
    burden = rng.uniform(12, 45)
    in_serum = p.myeloma_type != "LIGHT_CHAIN"
    if line.best_date and line.best != "PD":
        early = line.start + days(max(2, (line.best_date - line.start).days // 2))
        before = {"SD": "SD", "MR": "SD"}.get(line.best, "MR")
        if early < line.best_date:
            p.assessments.append(_assessment(rng, 1, early, before, burden, in_serum))
        p.assessments.append(_assessment(rng, 1, line.best_date, line.best, burden, in_serum))
        end = (line.progression or (p.lines[1].start if len(p.lines) > 1 else limit)) - days(5)
        later = line.best_date + days(rng.randint(25, 40))
        while later < end and len(p.assessments) < 4:
            p.assessments.append(_assessment(rng, 1, later, line.best, burden, in_serum))
            later += days(rng.randint(25, 40))
    if line.progression:
        p.assessments.append(_assessment(rng, 1, line.progression, "PD", burden, in_serum))


def _assessment(
    rng: random.Random,
    line: int,
    date: dt.date,
    category: str,
    burden: float,
    in_serum: bool = True,
) -> Assessment:
    """One assessment; a light-chain myeloma has no M-protein in serum."""
    left = {"sCR": 0, "CR": 0, "VGPR": 0.06, "PR": 0.35, "MR": 0.65, "SD": 0.95, "PD": 1.6}[
        category
    ]
    kappa = round(rng.uniform(5, 19) if left < 0.1 else burden * left * rng.uniform(8, 14), 1)
    free_lambda = round(rng.uniform(6, 20), 1)
    if category == "sCR":  # stringent only with a normal ratio
        free_lambda = min(max(free_lambda, round(kappa / 1.5, 1)), round(kappa / 0.3, 1))
    return Assessment(
        line,
        date,
        category,
        round(burden * left, 1) if in_serum else 0.0,
        kappa,
        free_lambda,
        "NEGATIVE" if left == 0 else "POSITIVE",
    )


def fill_empty_tables(rng: random.Random, members: list[Patient]) -> None:
    """Give a center without lesions or assessments one each that changes no endpoint.

    A file without rows would be refused; it happens only to centers of very few patients.
    """
    p = members[0]
    if not any(q.lesions for q in members):
        p.lesions = [Lesion("PARAVERTEBRAL", "PARAOSSEOUS", "CT", p.relapse, 21)]
    if not any(q.assessments for q in members):
        p.assessments = [_assessment(rng, 1, p.salvage_start + days(1), "NE", 20.0)]


def _labs(rng: random.Random, p: Patient, limit: dt.date) -> None:
    for date in sorted({p.lymphodepletion, p.relapse, p.lines[0].start + days(1)}):
        if date <= limit:
            p.labs.append(Lab(date, _sample(rng, p)))


def _sample(rng: random.Random, p: Patient) -> dict[str, float]:
    before = p.labs_before
    return {
        "B2M": round(float(before["B2M"]) * rng.uniform(0.9, 1.1), 1),
        "ALBUMIN": rng.randint(28, 44),
        "LDH": round(before["LDH"] * rng.uniform(0.9, 1.2)),
        "LDH_ULN": before["LDH_ULN"],
        "FERRITIN": round(before["FERRITIN"] * rng.uniform(0.9, 1.3)),
        "CREATININE": round(before["CREATININE"] * rng.uniform(0.9, 1.15), 2),
        "HB": round(rng.uniform(7.6, 13.4), 1),
        "M_SERUM": round(rng.uniform(4, 48), 1) * (p.myeloma_type != "LIGHT_CHAIN"),
        "M_URINE": float(rng.randint(40, 900)),
        "FLC_KAPPA": round(rng.uniform(8, 900), 1),
        "FLC_LAMBDA": round(rng.uniform(8, 60), 1),
        "BMPC": float(rng.randint(5, 80)),
        "CRP": round(rng.uniform(0.4, 60), 1),
    }


def _toxicities(rng: random.Random, p: Patient) -> None:
    grade = rng.choices((0, 1, 2, 3), (18, 50, 27, 5))[0]
    onset = p.infusion + days(rng.randint(1, 6))
    window = max((p.relapse - onset).days - 1, 2)
    end = onset + days(min(rng.randint(2, 6), window))
    p.toxicities.append(Toxicity("CRS", grade, onset if grade else None, end if grade else None))
    if rng.random() < 0.2:
        p.toxicities.append(
            Toxicity("ICANS", rng.choice((1, 1, 2)), onset + days(2), end + days(1))
        )
