"""Regimens after CAR-T and the spellings in which centers write them.

Every spelling stands in `schemas/vocabularies` (as a regimen, a variant, or drug names and signs that
join them) and has one meaning only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Regimen:
    """Group and subgroup of the regimen, and its spellings by language ('' : everywhere)."""

    group: str
    subgroup: str
    drugs: tuple[str, ...]
    spellings: dict[str, tuple[str, ...]]


def _r(group: str, subgroup: str, drugs: str, everywhere: str, **local: str) -> Regimen:
    spellings = {"": tuple(everywhere.split("|"))}
    spellings |= {language: tuple(text.split("|")) for language, text in local.items()}
    return Regimen(group, subgroup, tuple(sorted(drugs.split())), spellings)


REGIMENS: dict[str, Regimen] = {
    "TAL": _r("TALQ", "", "talquetamab", "Talquetamab|Talvey|Tal|Talq|Talquetamab mono", es="talquetamab"),
    "TAL_DARA": _r("TALQ", "", "daratumumab talquetamab", "Tal-Dara|Talvey + Dara|TalDara"),
    "TAL_POM": _r("TALQ", "", "pomalidomide talquetamab", "Tal-Pom|TalPom", de="Talquetamab + Pomalidomid"),
    "TEC": _r("TEC", "", "teclistamab", "Teclistamab|Tecvayli|Tec|Teclistamab mono", es="teclistamab"),
    "TEC_DARA": _r("TEC", "", "daratumumab teclistamab", "Tec-Dara|TecDara|Teclistamab + Daratumumab"),
    "DPD": _r("IPC", "", "daratumumab dexamethasone pomalidomide", "DPd|Dara-Pd|DaraPd|Dara-Pom-Dex|Dara/Pom/Dex",
        de="Daratumumab + Pomalidomid + Dexamethason", en="daratumumab, pomalidomide, dexamethasone",
        es="daratumumab + pomalidomida + dexametasona"),
    "KD": _r("IPC", "", "carfilzomib dexamethasone", "Kd|Cfz-Dex|K-Dex|Kd56",
        de="Carfilzomib/Dexamethason|Kyprolis + Dexa", en="Kyprolis + dexamethasone",
        es="carfilzomib y dexametasona"),
    "DKD": _r("IPC", "", "carfilzomib daratumumab dexamethasone", "DKd|DaraKd|Dara-Kd"),
    "KRD": _r("IPC", "", "carfilzomib dexamethasone lenalidomide", "KRd|Car-Len-Dex"),
    "KPD": _r("IPC", "", "carfilzomib dexamethasone pomalidomide", "KPd|KPomDex"),
    "ISAKD": _r("IPC", "", "carfilzomib dexamethasone isatuximab", "Isa-Kd|IsaKd",
        de="Isatuximab + Carfilzomib + Dexamethason", es="isatuximab + carfilzomib + dexametasona"),
    "PVD": _r("IPC", "", "bortezomib dexamethasone pomalidomide", "PVd|PomVd"),
    "PCD": _r("IPC", "", "cyclophosphamide dexamethasone pomalidomide", "PCd|PomCyDex",
        de="Pomalidomid/Cyclophosphamid/Dexamethason", es="pomalidomida + ciclofosfamida + dexametasona"),
    "KCD": _r("IPC", "", "carfilzomib cyclophosphamide dexamethasone", "KCd|CarCyDex"),
    "VCD": _r("IPC", "", "bortezomib cyclophosphamide dexamethasone", "VCd|CyBorD"),
    "DVD": _r("IPC", "", "bortezomib daratumumab dexamethasone", "DVd|DaraVd|Dara-Vd"),
    "DRD": _r("IPC", "", "daratumumab dexamethasone lenalidomide", "DRd|DaraRd|D-Rd"),
    "XVD": _r("IPC", "", "bortezomib dexamethasone selinexor", "XVd|SVd"),
    "DCEP": _r("OTHER", "CHEMO", "cisplatin cyclophosphamide dexamethasone etoposide", "DCEP"),
    "VDCEP": _r("OTHER", "CHEMO", "bortezomib cisplatin cyclophosphamide dexamethasone etoposide", "V-DCEP|VDCEP"),
    "VTDPACE": _r("OTHER", "CHEMO",
        "bortezomib cisplatin cyclophosphamide dexamethasone doxorubicin etoposide thalidomide",
        "VTD-PACE|VDT-PACE"),
    "DTPACE": _r("OTHER", "CHEMO",
        "cisplatin cyclophosphamide dexamethasone doxorubicin etoposide thalidomide", "DT-PACE|DTPACE"),
    "KDPACE": _r("OTHER", "CHEMO",
        "carfilzomib cisplatin cyclophosphamide dexamethasone doxorubicin etoposide", "KD-PACE|K-PACE"),
    "CAD": _r("OTHER", "CHEMO", "cyclophosphamide dexamethasone doxorubicin", "CAD"),
    "BENDA": _r("OTHER", "CHEMO", "bendamustine dexamethasone", "Benda-dex|BendaDex",
        de="Bendamustin + Dexamethason", es="bendamustina + dexametasona"),
    "RT": _r("OTHER", "RT", "radiotherapy", "RT", de="Bestrahlung|Radiatio|Strahlentherapie",
        en="XRT|radiotherapy", es="radioterapia"),
    "ASCT": _r("OTHER", "SCT", "autologous_sct melphalan", "HD-Mel/ASCT|Mel200 ASCT|Mel140 ASCT"),
    "ELRA": _r("OTHER", "BISP_OTHER", "elranatamab", "Elranatamab|Elrexfio|Elra", es="elranatamab"),
    "BELA": _r("OTHER", "ADC", "belantamab_mafodotin", "Blenrep|Belamaf|Bela mono"),
    "BRAF": _r("OTHER", "TARGETED", "dabrafenib trametinib", "Dabrafenib/Trametinib|BRAF/MEK"),
    "VEN": _r("OTHER", "TARGETED", "dexamethasone venetoclax", "Ven-dex|VenDex"),
}  # fmt: skip

# First salvage of the 31 others: 15 chemotherapy, 4 radiotherapy, 4 transplant, 8 of other kinds.
OTHER_FIRST = (
    ["DCEP"] * 4 + ["VTDPACE"] * 3 + ["DTPACE"] * 2 + ["KDPACE"] * 2 + ["CAD"] * 2
    + ["VDCEP", "BENDA"] + ["RT"] * 4 + ["ASCT"] * 4
    + ["ELRA"] * 4 + ["BELA"] * 2 + ["BRAF", "VEN"]
)  # fmt: skip
FIRST = {
    "TALQ": ["TAL"] * 9 + ["TAL_DARA", "TAL_POM"],
    "TEC": ["TEC"] * 9 + ["TEC_DARA"],
    "IPC": [
        "DPD",
        "KD",
        "DKD",
        "KRD",
        "KPD",
        "ISAKD",
        "PVD",
        "PCD",
        "KCD",
        "VCD",
        "DVD",
        "DRD",
        "XVD",
    ],
}
LATER = [
    "TAL",
    "TEC",
    "DPD",
    "KD",
    "PCD",
    "DCEP",
    "VTDPACE",
    "ELRA",
    "BELA",
    "RT",
    "VEN",
    "KCD",
    "BENDA",
]
