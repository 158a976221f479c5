"""Words that centers of one language share; a center that has its own says so in its writer."""

from __future__ import annotations

DE_YES = {"Y": "ja", "N": "nein", "U": "unbekannt"}
DE_SEX = {"F": "w", "M": "m"}
DE_STOP = {
    "PROGRESSION": "Progress",
    "TOXICITY": "Toxizität",
    "PLANNED": "geplantes Ende",
    "DEATH": "Tod",
    "ONGOING": "laufend",
    "OTHER": "anderer Grund",
}
DE_CAUSE = {
    "MYELOMA": "Myelom",
    "INFECTION": "Infektion",
    "TOXICITY": "Toxizität",
    "OTHER": "andere",
    "UNKNOWN": "unbekannt",
}
DE_RELAPSE = {"BIOCHEMICAL": "biochemisch", "CLINICAL": "klinisch", "PROGRESSION": "Progression"}
DE_SITES = {
    "LIVER": "Leber",
    "LYMPH_NODE": "Lymphknoten",
    "SKIN": "Haut",
    "KIDNEY": "Niere",
    "PLEURA": "Pleura",
    "LUNG": "Lunge",
    "MUSCLE": "Muskel",
    "PANCREAS": "Pankreas",
    "PARAVERTEBRAL": "paravertebral",
    "CHEST_WALL": "Brustwand",
    "EPIDURAL": "epidural",
}
DE_DRUGS = {
    "lenalidomide": "Lenalidomid",
    "pomalidomide": "Pomalidomid",
    "thalidomide": "Thalidomid",
    "bortezomib": "Bortezomib",
    "carfilzomib": "Carfilzomib",
    "ixazomib": "Ixazomib",
    "daratumumab": "Daratumumab",
    "isatuximab": "Isatuximab",
}
DE_RESPONSES = {
    "sCR": "stringente CR",
    "CR": "komplette Remission",
    "VGPR": "sehr gute partielle Remission",
    "PR": "partielle Remission",
    "MR": "MR",
    "SD": "stabile Erkrankung",
    "PD": "Progress",
    "NE": "nicht beurteilbar",
}
RESPONSES = {code: code for code in ("sCR", "CR", "VGPR", "PR", "MR", "SD", "PD", "NE")}
STAGES = {"I": "I", "II": "II", "III": "III"}
MYELOMA = {
    "IGG": "IgG",
    "IGA": "IgA",
    "IGD": "IgD",
    "LIGHT_CHAIN": "Leichtketten",
    "NON_SECRETORY": "asekretorisch",
}
EN_YES = {"Y": "yes", "N": "no", "U": "unknown"}
EN_SITES = {
    "LIVER": "liver",
    "LYMPH_NODE": "lymph node",
    "SKIN": "skin",
    "KIDNEY": "kidney",
    "PLEURA": "pleura",
    "LUNG": "lung",
    "MUSCLE": "muscle",
    "PANCREAS": "pancreas",
    "PARAVERTEBRAL": "paravertebral",
    "CHEST_WALL": "chest wall",
    "EPIDURAL": "epidural",
}
EN_MODALITY = {"PET_CT": "PET/CT", "CT": "CT", "MRI": "MRI"}
DE_MODALITY = {"PET_CT": "PET-CT", "CT": "CT", "MRI": "MRT"}
EN_CAUSE = {
    "MYELOMA": "myeloma",
    "INFECTION": "infection",
    "TOXICITY": "treatment toxicity",
    "OTHER": "other",
    "UNKNOWN": "unknown",
}
EN_STOP = {
    "PROGRESSION": "progression",
    "TOXICITY": "toxicity",
    "PLANNED": "planned",
    "DEATH": "death",
    "ONGOING": "ongoing",
    "OTHER": "other",
}
MONTHS_DE = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip
