"""How a response is written around its category: before and after, confirmed, with MRD, as a bound."""

from __future__ import annotations

import re

from transforms.harmonize.values.match import match_key

SEQUENCE = re.compile(
    r"\s*(?:->|=>|>>|(?<=[\w)])\s*>\s*(?=[\w(])|\bthen\b|\bdann\b|\bdanach\b|\banschliessend\b|\bgefolgt von\b|\bfollowed by\b|"
    r"\bluego\b|\bseguid[oa] de\b|\bseguit[oa] da\b|\bpoi\b|\bpuis\b|\bsuivi(?:e)? de\b|\blater\b|\bspater\b|;)\s*"
)
EITHER = re.compile(r"\s*(?:/|\||\bor\b|\boder\b|\bbis\b|\bto\b|\bo\b|\bou\b|\s-\s|-)\s*")
CONFIRMED = r"(?:confirmed|conf\.?|bestatigt|best\.|confirmad[ao]|confirme[e]?)"
UNCONFIRMED = (
    r"(?:unconfirmed|not confirmed|unconf\.?|unbestatigt|unbest\.?|nicht bestatigt|no confirmad[ao]|"
    r"sin confirmar|non confirme[e]?|to be confirmed)"
)
MRD = re.compile(
    r"[\s,/(+;]*(?:\b(?:mit|with|con|avec)\s+)?\b(?:mrd|emr)[\s\-:]*(?P<sign>neg(?:ativ\w*)?\.?|pos(?:itiv\w*)?\.?|\+|-(?!\w))"
    r"(?:[\s,(]*(?:ngf|ngs|flow|pcr|<?\s*10\s*\^?-\d))*\)?"
)
LOWER = re.compile(
    r"^(?:>=|=>)\s*(.+)$|^(?:mindestens|mind\.?|min\.?|at least|al menos|au moins|minimum)\s+(.+)$"
    r"|^(.+?)\s*(?:\+|or better|oder besser|o mejor|ou mieux|or more)$"
)
LESS = re.compile(
    r"^(?:<|less than|lower than|worse than|weniger als|kleiner(?: als)?|schlechter als|unter|menos que|menos de|inferior a|moins que|inferieur a|no|kein[e]?|sin|pas de)\s*(.+)$"
)
ON_THERAPY = re.compile(
    r"[\s,]+(?:unter|on|during|under|bajo|sous|en cours de|in)\s+(?:laufender\s+)?(?:therapie|therapy|treatment|tratamiento|traitement)$"
)
# That it lasts, or after how much therapy it was seen: that does not change the category. A date would be lost.
BESIDE = (
    r"(?:ongoing|maintained|persist(?:ent|ing|ierend[er]?)|sustained|anhaltende?r?|fortbestehende?r?|gehalten|laufend|"
    r"mantenid[ao]|en curso|maintenue?|en cours|"
    r"(?:after|nach|tras|apres|dopo) (?:c ?)?\d+ ?(?:cycles?|zyklen|zyklus|ciclos?|cures?|cicli|wochen|weeks|monaten|months|semanas|meses|mois))"
)
LETTERS = re.compile(r"(?:\w\.)+\w")
BEST = re.compile(
    r"^(?:best(?:e|es)?(?: overall)?(?: response| ansprechen)?|bor|br|mejor respuesta|meilleure reponse)\s*[:=]?\s+(?=\S)"
)


def cut(text: str, pattern: str) -> tuple[str, bool]:
    """The text before what the pattern finds, and whether it finds anything."""
    found = re.search(pattern, text)
    return (match_key(text[: found.start()]), True) if found else (text, False)


def without(text: str, words: str) -> tuple[str, bool]:
    """The text without the words at its end or at its start, and whether they stood there."""
    rest, found = cut(text, rf"[\s,(\[]*{words}[\])]?$")
    front = re.match(rf"{words}\s+(?=\S)", rest)
    return (rest[front.end() :], True) if front else (rest, found)
