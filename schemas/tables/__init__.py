"""The canonical tables, one module each; `ALL` is the order in which they are mapped and loaded."""

ALL = (
    "subject",
    "infusion",
    "risk",
    "exposure",
    "relapse",
    "lesion",
    "treatment_line",
    "follow_up",
    "response",
    "lab",
    "toxicity",
)
