"""Writes `docs/rules.md` from the rules. Run as `python -m schemas.rules_docs`.

The page is generated, so that what a center is told and what is judged cannot drift apart.
"""

from __future__ import annotations

import sys
from pathlib import Path

from schemas.rules import Check, Clause, Rule, load_contexts, load_rules
from schemas.rules_apart import load_elsewhere, load_limits, load_undecided

PAGE = Path(__file__).parent.parent / "docs" / "rules.md"
CATEGORIES = {
    "structure": "Structure",
    "privacy": "Privacy",
    "parsing": "Values that can be read",
    "dates": "Dates",
    "eligibility": "Eligibility, product, prior therapy",
    "product": "Product and infusion",
    "prior": "Therapy before CAR-T",
    "staging": "Stage and risk",
    "emd": "Extramedullary disease",
    "ranges": "Ranges",
    "toxicity": "Toxicity",
    "response": "Response",
    "salvage": "Salvage",
    "survival": "Survival",
    "labs": "Laboratory",
    "disease": "Disease, lines, survival, duplicates",
    "duplicates": "Duplicates over the whole study",
    "delivery": "Changes against the delivery before",
}  # a file that is not named here comes after these, under its own name
_ENGINES = {
    "rows": "rows",
    "mapping": "mapping",
    "reader": "reading",
    "run": "run",
    "study": "warehouse",
}
_HEAD = """# Rules

Generated from `schemas/rules/*.yaml` by `python -m schemas.rules_docs`. Do not edit.

A rule says what must hold. A violation is a **finding**: one per rule and fact, with every field involved and the cell it
came from.

- **Severity.** `error`: the data contradicts itself or cannot be used. `warning`: it is used, and the center is asked.
  One warning can hold rows: STR-04, where the misspelt id is no patient's. It then stands in the place of STR-03, which would ask
  about the same cell again. An id with characters that are not seen or look like others (U+200B, a Cyrillic letter among Latin ones) is an
  error under the same rule: its rows are held, whether or not a form of ids is declared.
- **What becomes of it.** `quarantine`: the row is held back (scope `row`) or all rows of the patient are (scope `patient`; a held
  row of `subject` too) until a delivery corrects it. `screen_out`: the patient is not of this study; no error. `keep_query`: kept
  and asked about.
- **Three values.** A rule that lacks one of its values is not evaluated on that row; it neither passes nor fails. A value that was
  not understood has its own finding and is not judged further.
- **Partial dates.** A month or a year stands for all its days. A rule on dates is violated only if every day that the partial dates
  allow violates it; `earliest` and `latest` are the first and the last of these days. Where only some of them violate an `error`,
  the row is kept and the center is asked for the full date (a warning, below as "if partial dates allow it"); a date of a row that
  is held back itself is no evidence. Rules on nearness (DUP-01, DUP-03, SAL-06) do not ask so.
- **Optional columns of subject, infusion, relapse, treatment_line and follow_up** that cannot be read do not hold their row: losing
  a patient for them would be worse. If the missing value then breaks a rule that holds the patient (dead, but no readable date), it is held.
- **Outcome of a rule** (`quality.check_run`): `passed` only if at least one row was judged; `not_applicable`: no row was in its
  scope; `not_run`: a table or column is not delivered, with the reason; `failed`; `error`.
- **Shifted dates.** A center may move all dates of a patient by the same number of days on purpose (`dates: {shifted: yes}` in its
  spec). Rules on days of the calendar are then `not_applicable`, with that reason; those on intervals are judged.
"""


def page() -> str:
    """The whole page."""
    rules = load_rules()
    parts = [_HEAD]
    titles = CATEGORIES | {
        rule.category: rule.category.capitalize()
        for rule in rules
        if rule.category not in CATEGORIES
    }
    for category, title in titles.items():
        own = [rule for rule in rules if rule.category == category]
        parts += [
            f"## {title}",
            _table(own),
            *(text for rule in own if (text := _conditions(rule))),
        ]
    parts += ["## Context of a rule", _contexts()]
    parts += ["## Where a rule goes less far than the catalogue", _limits()]
    parts += ["## Rules of the catalogue that are held at another place", _elsewhere()]
    parts += ["## Rules of the catalogue that are not judged, and why", _undecided()]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _table(rules: list[Rule]) -> str:
    lines = [
        "| rule | what must hold | severity | becomes | scope | judged by |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for rule in rules:
        severities = sorted({c.severity for check in rule.checks for c in check.clauses})
        severity = ", ".join(severities) if len(severities) > 1 else rule.severity
        become = [rule.disposition_of(each) for each in (*severities, rule.severity)]
        becomes = ", ".join(dict.fromkeys(become))
        lines.append(
            f"| {rule.id} {rule.title} | {rule.sentence} | {severity} | {becomes} "
            f"| {rule.scope} | {_ENGINES[rule.engine]} |"
        )
    return "\n".join(lines)


def _conditions(rule: Rule) -> str:
    lines = [line for check in rule.checks for line in _check(check)]
    if not lines:
        return ""
    asks = "".join(f"; for a {kind}: *{query}*" for kind, query in rule.asks.items())
    shifted = " · not applicable where dates are shifted" if rule.calendar else ""
    return f"**{rule.id}** · asks: *{rule.query}*{asks}{shifted}\n\n" + "\n".join(lines)


def _check(check: Check) -> list[str]:
    table = "every table" if check.table == "*" else f"`{check.table}`"
    each = f", each {check.each} column" if check.each else ""
    if check.generated:
        told = {
            "codelist": "a coded column holds a code of its codelist",
            "required": "a required column is filled, unless a rule of its own says so",
            "range": "a number lies in the range declared for its column",
        }
        return [f"- {table}: {told[check.generated]}"]
    if check.unique:
        same = f"; a copy if {_code(check.same)} agrees too" if check.same else ""
        return [f"- {table}: {_code(check.unique)} together occur once{same}"]
    if check.references:
        return [f"- {table}: the patient is in `{check.references}`"]
    scope = f" where {_code([check.applies])}" if check.applies else ""
    return [
        f"- {table}{each}{scope}: {clause.severity} if {_told(clause)}{_code([clause.fails])}; "
        f"names {_code(clause.fields)}"
        for clause in check.clauses
    ]


def _told(clause: Clause) -> str:
    return "partial dates allow it: " if clause.possible else ""


def _code(texts: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{' '.join(text.split())}`" for text in texts)


def _contexts() -> str:
    lines = [
        "Beside its own row a rule can look at these rows of the same patient. Where a context is missing, the rule is not evaluated.",
        "",
        "| context | rows of | which |",
        "| --- | --- | --- |",
    ]
    for name, context in load_contexts().items():
        where = f"where {_code([context.where])}" if context.where else "all"
        if context.shift:
            side = "before" if context.shift > 0 else "after"
            where = (
                f"the row {side} this one by {_code(context.order)}, "
                f"equal in {_code(context.within)}"
            )
        if context.first:
            where += f"; the first by `{context.first}`"
        if context.aggregate:
            where += f"; all of one {', '.join(context.by)} together"
        lines.append(f"| {name} | {context.table} | {where} |")
    return "\n".join(lines)


def _elsewhere() -> str:
    told = {
        "refusal": "refusal of the delivery",
        "audit": "audit before publication",
        "reading": "the reading itself",
        "derivation": "the derivation",
    }
    lines = [
        "No center is asked: what breaks these rules is refused, stops the publication, or cannot come about.",
        "",
        "| rule | judged by | how |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| {rule.id} {rule.title} | {told[rule.by]} | {rule.how} |" for rule in load_elsewhere()
    ]
    return "\n".join(lines)


def _limits() -> str:
    titles = {rule.id: rule.title for rule in load_rules()}
    lines = ["| rule | what is not judged, and why |", "| --- | --- |"]
    lines += [f"| {each.id} {titles[each.id]} | {each.limit} |" for each in load_limits()]
    return "\n".join(lines)


def _undecided() -> str:
    if not load_undecided():
        return "There is none: each is judged by the rules above or held at the place named."
    lines = [
        "What these rules compare is not in the canonical tables.",
        "",
        "| rule | why |",
        "| --- | --- |",
    ]
    lines += [f"| {rule.id} {rule.title} | {rule.why} |" for rule in load_undecided()]
    return "\n".join(lines)


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
