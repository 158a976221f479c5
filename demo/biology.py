"""Stage, cytogenetics and refractoriness that agree with the reported R-ISS and MyCARe groups."""

from __future__ import annotations

import random

from demo.model import Patient

IMIDS = ("lenalidomide", "pomalidomide", "thalidomide")
PIS = ("bortezomib", "carfilzomib", "ixazomib")
CD38 = ("daratumumab", "isatuximab")
DRUGS = (*IMIDS, *PIS, *CD38)
FISH = ("del_17p", "t_4_14", "t_14_16")


def fill_biology(rng: random.Random, p: Patient) -> None:
    """Set refractory drugs, cytogenetics, laboratory values before CAR-T and the MyCARe factors."""
    len_refractory, high_risk, emd_before, ferritin_high = _mycare_factors(rng, p)
    p.emd_before = emd_before
    if high_risk:
        p.high_risk = {rng.choice(FISH)} | ({"del_17p"} if rng.random() < 0.2 else set())
    _stage(rng, p, ferritin_high)
    _refractory(rng, p, len_refractory)
    # None is non-secretory: every patient's course is told by measured markers.
    p.myeloma_type = rng.choices(("IGG", "IGA", "LIGHT_CHAIN", "IGD"), (58, 22, 18, 2))[0]


def _mycare_factors(rng: random.Random, p: Patient) -> tuple[bool, bool, bool, bool]:
    """Lenalidomide-refractory, high-risk FISH, EMD before, ferritin high: 0-1, 2-3 or 4 of them."""
    if p.mycare == "HIGH":
        return True, True, True, True
    wanted = rng.randint(0, 1) if p.mycare == "LOW" else rng.randint(2, 3)
    names = ["len", "emd", "ferritin"] if p.r_iss == "I" else ["len", "hr", "emd", "ferritin"]
    if p.triple and "len" in names and rng.random() < 0.7 and wanted:
        names.remove("len")
        chosen = {"len", *rng.sample(names, wanted - 1)}
    else:
        chosen = set(rng.sample(names, wanted))
    return "len" in chosen, "hr" in chosen, "emd" in chosen, "ferritin" in chosen


def _stage(rng: random.Random, p: Patient, ferritin_high: bool) -> None:
    uln = rng.choice((220, 240, 250))
    ldh_high = False
    if p.r_iss == "I":
        p.iss = "I"
    elif p.r_iss == "III":
        p.iss = "III"
        ldh_high = not p.high_risk or rng.random() < 0.4
    else:
        p.iss = "II" if rng.random() < 0.8 or not p.high_risk else "I"
        ldh_high = rng.random() < 0.25
    b2m = {"I": (1.8, 3.3), "II": (3.6, 5.3), "III": (5.6, 14.0)}[p.iss]
    albumin = {"I": (36, 44), "II": (30, 41), "III": (26, 40)}[p.iss]
    ferritin_uln = 300 if p.sex == "M" else 200
    low, high = (1.2, 9.0) if ferritin_high else (0.2, 0.9)
    p.labs_before = {
        "B2M": round(rng.uniform(*b2m), 1),
        "ALBUMIN": rng.randint(*albumin),
        "LDH": rng.randint(uln + 15, 3 * uln) if ldh_high else rng.randint(130, uln - 10),
        "LDH_ULN": uln,
        "FERRITIN": round(ferritin_uln * rng.uniform(low, high)),
        "FERRITIN_ULN": ferritin_uln,
        "CREATININE": round(rng.uniform(0.6, 1.7), 2),
    }


def _refractory(rng: random.Random, p: Patient, len_refractory: bool) -> None:
    """Drugs with class counts that make the patient triple-class and penta-refractory as wanted."""
    imids = ["lenalidomide"] if len_refractory else []
    others = ["pomalidomide", "thalidomide"]
    if p.penta:
        n_imid, n_pi, n_cd38 = 2, rng.choice((2, 2, 3)), rng.choice((1, 1, 2))
    elif p.triple:
        n_imid, n_pi = rng.choice(((1, 1), (1, 2), (2, 1)))
        n_cd38 = 1
    else:
        n_imid, n_pi, n_cd38 = rng.choice(((1, 1, 0), (1, 0, 1), (2, 1, 0), (2, 0, 1)))
    while len(imids) < n_imid:
        imids.append(others.pop(0))
    p.refractory = {*imids, *_some(rng, PIS, n_pi), *_some(rng, CD38, n_cd38)}
    p.exposed = p.refractory | {"lenalidomide", "bortezomib", "daratumumab"}
    for drug, share in (("pomalidomide", 0.6), ("carfilzomib", 0.6), ("thalidomide", 0.2)):
        if rng.random() < share:
            p.exposed.add(drug)


def spare_first_salvage(p: Patient, drugs: frozenset[str]) -> None:
    """Leave the patient one drug of the first salvage that has not failed, by an exchange in its class.

    Lenalidomide stays, for it is a factor of MyCARe; the counts per class stay too.
    """
    active = drugs & set(DRUGS)
    others = drugs - active - {"dexamethasone"}
    if others or not active or not active <= p.refractory:
        return
    for family in (CD38, PIS, IMIDS):
        for drug in sorted(active & set(family) - {"lenalidomide"}):
            free = [other for other in family if other not in p.refractory]
            if free or len(p.refractory & set(family)) > 2:
                p.refractory = (p.refractory - {drug}) | set(free[:1])
                p.exposed |= p.refractory
                return


def _some(rng: random.Random, drugs: tuple[str, ...], n: int) -> list[str]:
    """The first n drugs, now and then with the last two exchanged."""
    ordered = list(drugs)
    if len(ordered) > 2 and rng.random() < 0.15:
        ordered[1], ordered[2] = ordered[2], ordered[1]
    elif len(ordered) == 2 and rng.random() < 0.2:
        ordered.reverse()
    return ordered[:n]
