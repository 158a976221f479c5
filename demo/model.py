"""What is true of one synthetic patient, before any center writes it down its own way."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

DAYS_PER_MONTH = 30.4375


@dataclass
class Line:
    """A line of therapy after CAR-T with its best response and progression."""

    number: int
    start: dt.date
    end: dt.date | None
    regimen: str  # key of `regimens.REGIMENS`
    stop_reason: str
    best: str  # code of codelist `response`
    best_date: dt.date | None
    progression: dt.date | None


@dataclass
class Assessment:
    """A response assessment of a line at one time."""

    line: int
    date: dt.date
    category: str
    m_serum: float
    kappa: float
    lambda_: float
    immunofixation: str


@dataclass
class Lesion:
    """A plasmacytoma seen on imaging."""

    site: str
    category: str
    modality: str
    date: dt.date
    diameter: int


@dataclass
class Toxicity:
    """Cytokine release syndrome or neurotoxicity after CAR-T."""

    kind: str
    grade: int
    onset: dt.date | None
    end: dt.date | None


@dataclass
class Lab:
    """One sample: canonical test → value in the unit that the test is kept in."""

    date: dt.date
    values: dict[str, float]


@dataclass
class Patient:
    """One synthetic patient; dates and codes are the truth after both rounds."""

    index: int
    group: str  # TALQ, TEC, IPC, OTHER
    center: str = ""
    local_id: str = ""
    country: str = ""
    sex: str = ""
    product: str = ""
    age: int = 0
    birth_year: int = 0
    prior_lines: int = 0
    months_days: int = 0  # days from infusion to relapse
    r_iss: str = ""
    iss: str = ""
    mycare: str = ""
    ecog: int = 0
    prior_bcma: bool = False
    triple: bool = False
    penta: bool = False
    emd: bool = False
    subsequent: bool = False
    response: str = ""  # class of Table 1: CR, VGPR, PR, LTPR
    dead: bool = False
    os_days: int = 0
    myeloma_type: str = ""
    exposed: set[str] = field(default_factory=set)
    refractory: set[str] = field(default_factory=set)
    high_risk: set[str] = field(default_factory=set)  # del_17p, t_4_14, t_14_16
    emd_before: bool = False
    labs_before: dict[str, float] = field(default_factory=dict)
    diagnosis: dt.date = dt.date.min
    apheresis: dt.date = dt.date.min
    lymphodepletion: dt.date = dt.date.min
    infusion: dt.date = dt.date.min
    relapse: dt.date = dt.date.min
    last_contact: dt.date = dt.date.min
    first_contact: dt.date = dt.date.min  # last contact as known in round one
    death: dt.date | None = None
    death_cause: str = ""
    dose: int | None = None
    relapse_type: str = ""
    basis: str = ""
    cart_response: str = ""
    lines: list[Line] = field(default_factory=list)
    assessments: list[Assessment] = field(default_factory=list)
    lesions: list[Lesion] = field(default_factory=list)
    labs: list[Lab] = field(default_factory=list)
    toxicities: list[Toxicity] = field(default_factory=list)

    @property
    def months_to_relapse(self) -> float:
        """Months from infusion to first relapse, to one decimal."""
        return round(self.months_days / DAYS_PER_MONTH, 1)

    @property
    def salvage_start(self) -> dt.date:
        """Time zero of survival."""
        return self.lines[0].start
