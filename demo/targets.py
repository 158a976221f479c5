"""What the cohort must show: the published counts, medians and ranges, by first-salvage group.

Source: Merz et al., Blood Cancer Journal 2024;14:214 (CC BY 4.0), with MyCARe high = 7 in the last
group, which makes the column sum to 31. Order of groups: TALQ, TEC, IPC, OTHER.
"""

from __future__ import annotations

GROUPS = ("TALQ", "TEC", "IPC", "OTHER")
SIZES = (28, 37, 43, 31)

# Variable → level → count per group.
COUNTS: dict[str, dict[str, tuple[int, int, int, int]]] = {
    "sex": {"F": (17, 15, 17, 10), "M": (11, 22, 26, 21)},
    "product": {"IDE": (26, 36, 39, 29), "CILTA": (2, 1, 4, 2)},
    "r_iss": {"I": (8, 5, 9, 3), "II": (12, 18, 18, 17), "III": (8, 14, 16, 11)},
    "triple": {"Y": (23, 33, 36, 23), "N": (5, 4, 7, 8)},
    "penta": {"Y": (15, 20, 18, 11), "N": (13, 17, 25, 20)},
    "prior_bcma": {"Y": (8, 5, 8, 5), "N": (20, 32, 35, 26)},
    "mycare": {"LOW": (7, 6, 4, 5), "INTERMEDIATE": (18, 26, 31, 19), "HIGH": (3, 5, 8, 7)},
    "ecog": {"0": (7, 7, 4, 4), "1": (19, 25, 28, 27), "2": (2, 5, 11, 0)},
    "emd": {"Y": (14, 19, 22, 18), "N": (14, 18, 21, 13)},
    "subsequent": {"Y": (6, 14, 24, 21), "N": (22, 23, 19, 10)},
    "response": {
        "CR": (11, 12, 0, 1),
        "VGPR": (6, 7, 1, 1),
        "PR": (5, 5, 12, 6),
        "LTPR": (6, 13, 30, 23),
    },
}

# Variable → per group (median, smallest, largest); months are printed to one decimal.
CONTINUOUS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "age": ((63, 40, 78), (64, 40, 78), (59, 44, 79), (61, 40, 78)),
    "prior_lines": ((7, 3, 14), (7, 4, 14), (6, 4, 14), (7, 4, 15)),
    "months_to_relapse": ((5.0, 0.8, 22.4), (7.3, 1.0, 24.6), (3.9, 0.4, 17.8), (3.3, 0.8, 24.9)),
}
P_CONTINUOUS = {"age": 0.23, "prior_lines": 0.81, "months_to_relapse": 0.02}

# Deaths by group and response class; nobody in CR died, 2 of 15 in VGPR did.
DEATHS: dict[str, dict[str, int]] = {
    "TALQ": {"CR": 0, "VGPR": 0, "PR": 1, "LTPR": 5},
    "TEC": {"CR": 0, "VGPR": 1, "PR": 1, "LTPR": 10},
    "IPC": {"CR": 0, "VGPR": 0, "PR": 6, "LTPR": 24},
    "OTHER": {"CR": 0, "VGPR": 1, "PR": 3, "LTPR": 20},
}

# Name of a subset → interval in months in which its median must lie; None: not reached.
SURVIVAL: dict[str, tuple[float, float] | None] = {
    "TALQ": None,
    "TEC": None,
    "IPC": (4.9, 5.9),
    "OTHER": (4.5, 5.2),
    "all": (7.8, 10.2),
    "early": (4.2, 5.9),
    "late": None,
    "emd": (4.0, 6.2),
    "no_emd": None,
    "mycare_low": None,
    "mycare_intermediate": (5.0, 14.0),
    "mycare_high": (3.2, 4.8),
}
FOLLOW_UP = (8.2, 9.0)
EARLY_MONTHS = 5.0

# Centers: country and number of the 139 patients.
CENTERS: dict[str, tuple[str, int]] = {
    "DE01": ("DE", 21),
    "DE02": ("DE", 9),
    "DE03": ("DE", 17),
    "DE04": ("DE", 12),
    "DE05": ("DE", 14),
    "DE06": ("DE", 15),
    "DE07": ("DE", 10),
    "US01": ("US", 11),
    "US02": ("US", 8),
    "US03": ("US", 13),
    "ES01": ("ES", 5),
    "CH01": ("CH", 4),
}
