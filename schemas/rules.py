"""The rules as data: `rules/*.yaml` → `Rule` and `Check` objects, checked key by key.

A rule says what must hold, in words and as SQL, how bad a violation is, and what becomes of the row.
One rule may have several checks: the same sentence about different tables. Rules that other stages
judge (reading, mapping, the run) are declared here too, so that every id has one home.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.errors import CarmonyError
from schemas.rule_partial import may_violate

FOLDER = Path(__file__).parent / "rules"
SEVERITIES = ("error", "warning", "info")
DISPOSITIONS = ("quarantine", "screen_out", "keep_query", "keep_info")
SCOPES = ("row", "patient", "file")
KAHN = ("conformance", "completeness", "plausibility")
ENGINES = ("rows", "mapping", "reader", "run", "study")

_RULE_KEYS = {
    "id", "title", "sentence", "severity", "disposition", "scope", "kahn", "engine",
    "query", "asks", "source", "checks", "covers", "also", "calendar", "possible",
}  # fmt: skip
_CHECK_KEYS = {
    "table", "fields", "applies", "fails", "clauses", "unique", "same", "references",
    "each", "about", "generated",
}  # fmt: skip
_NO_RULES = ("contexts.yaml", "undecided.yaml", "elsewhere.yaml", "limits.yaml")
_CONTEXT_KEYS = {
    "table", "by", "where", "within", "order", "shift", "aggregate", "first", "uses", "offset",
    "sound",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition of a check: what fails, how bad it is, and the fields that it names.

    `possible`: it was made from the hard clause, for partial dates of which only some days violate.
    """

    severity: str
    fails: str
    fields: tuple[str, ...]
    possible: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One rule on one table.

    Attributes:
        table: canonical table whose rows are judged; `*` stands for every table.
        fields: `column` or `context.column`; the first is what the rule is about.
        applies: SQL; rows where it is not true are out of the rule's scope.
        clauses: conditions, hard before soft.
        unique: columns that may not be twice in the table; `same` narrows which rows are copies.
        each: `date`: the check is made for every date column, `{column}` standing for its name.
        about: context whose row is blamed instead of the judged one, once per patient.
        generated: what is generated from the models: `codelist`, `required` or `range`.
    """

    table: str
    fields: tuple[str, ...]
    applies: str | None = None
    clauses: tuple[Clause, ...] = ()
    unique: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    references: str | None = None
    each: str | None = None
    about: str | None = None
    generated: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the pack. `category` is the name of its file.

    `covers`: columns whose generated checks (required, range) this rule stands for. `also`: companions
    (`unit`) that are named beside a column which the mapping could not understand. `asks`: kind of
    column → what a center is asked instead of `query`; `{range}` and `{codes}` stand for what the column
    may hold. `calendar`: it compares with days of the calendar (an approval, the export), so that it says
    nothing where a center shifted its dates on purpose. `possible`: where only some days of partial dates
    violate the hard clause, the center is asked (a warning); false where nearness is no contradiction.
    """

    id: str
    category: str
    title: str
    sentence: str
    severity: str
    disposition: str
    scope: str
    kahn: str
    engine: str
    query: str
    source: str
    checks: tuple[Check, ...] = ()
    covers: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    asks: Mapping[str, str] = field(default_factory=dict)
    calendar: bool = False
    possible: bool = True

    def disposition_of(self, severity: str) -> str:
        """What becomes of a row: an error is never kept as valid, a warning never held back."""
        if severity == "error":
            return self.disposition if self.severity == "error" else "quarantine"
        return self.disposition if self.disposition.startswith("keep") else "keep_query"


@dataclass(frozen=True, slots=True)
class Context:
    """Columns of another row (or of several) that a rule looks at beside its own row.

    Attributes:
        by: columns by which it is joined; with `shift`, the neighbour in its own table instead.
        first: the row with the smallest value of this column is taken.
        aggregate: name → SQL over all rows of the key, instead of one row's columns.
        offset: column of `by` → by how much it is larger there (the next line: line_number 1).
        sound: rows of a small table that are held themselves are not looked at; for rules on
            streaming tables, which are judged when that is known.
    """

    name: str
    table: str
    by: tuple[str, ...] = ("patient_id",)
    where: str | None = None
    within: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    shift: int = 0
    first: str | None = None
    uses: tuple[str, ...] = ()
    aggregate: Mapping[str, str] = field(default_factory=dict)
    offset: Mapping[str, int] = field(default_factory=dict)
    sound: bool = False


class RuleError(CarmonyError):
    """A rule file is wrong: names file, rule and key."""

    def __init__(self, file: str, rule: str, key: str, problem: str) -> None:
        super().__init__(
            f"rules/{file}, rule {rule}, key '{key}': {problem}", fix="correct the rule file"
        )


def load_rules(folder: Path = FOLDER) -> tuple[Rule, ...]:
    """All rules, by file and position. Raises RuleError for the first thing that is wrong."""
    rules: dict[str, Rule] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name in _NO_RULES:
            continue
        for entry in read_yaml(path):
            rule = _rule(path, entry)
            if rule.id in rules:
                raise RuleError(path.name, rule.id, "id", "this rule is declared twice")
            rules[rule.id] = rule
    return tuple(rules.values())


def load_contexts(folder: Path = FOLDER) -> dict[str, Context]:
    """The named contexts of `contexts.yaml`."""
    path = folder / "contexts.yaml"
    contexts = {}
    for name, entry in (read_yaml(path) if path.is_file() else {}).items():
        only_keys(path.name, name, entry, _CONTEXT_KEYS)
        lists = {
            key: tuple(entry[key]) for key in ("by", "within", "order", "uses") if key in entry
        }
        contexts[name] = Context(name, **{**entry, **lists})
    return contexts


def read_yaml(path: Path) -> Any:
    """What a rule file holds. Raises RuleError where it is not YAML."""
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        raise RuleError(path.name, f"near line {line}", "-", "this is not valid YAML") from None


def _rule(path: Path, entry: Any) -> Rule:
    name = str(entry.get("id", "?")) if isinstance(entry, dict) else "?"
    only_keys(path.name, name, entry, _RULE_KEYS)
    for key in ("id", "title", "sentence", "severity", "disposition", "scope", "kahn", "query"):
        if not isinstance(entry.get(key), str):
            raise RuleError(path.name, name, key, "is missing or not text")
    engine = entry.get("engine", "rows")
    for key, value, allowed in (
        ("severity", entry["severity"], SEVERITIES),
        ("disposition", entry["disposition"], DISPOSITIONS),
        ("scope", entry["scope"], SCOPES),
        ("kahn", entry["kahn"], KAHN),
        ("engine", engine, ENGINES),
    ):
        if value not in allowed:
            raise RuleError(path.name, name, key, f"'{value}' is not one of {', '.join(allowed)}")
    checks = tuple(
        _check(path.name, name, each, entry["severity"], entry.get("possible", True))
        for each in entry.get("checks", ())
    )
    if engine == "rows" and not checks:
        raise RuleError(path.name, name, "checks", "a rule on rows needs at least one check")
    asks = entry.get("asks", {})
    if not isinstance(asks, dict) or not all(isinstance(text, str) for text in asks.values()):
        raise RuleError(path.name, name, "asks", "is no list of kinds with their questions")
    for key in ("calendar", "possible"):
        if not isinstance(entry.get(key, False), bool):
            raise RuleError(path.name, name, key, "is true or false")
    head = {
        key: entry[key] for key in _RULE_KEYS & entry.keys() - {"checks", "covers", "also", "asks"}
    }
    return Rule(
        **{"source": "", **head, "engine": engine},
        category=path.stem,
        checks=checks,
        covers=tuple(entry.get("covers", ())),
        also=tuple(entry.get("also", ())),
        asks=asks,
    )


def _check(file: str, rule: str, entry: Any, severity: str, possible: bool) -> Check:
    only_keys(file, rule, entry, _CHECK_KEYS)
    if "table" not in entry:
        raise RuleError(file, rule, "table", "is missing")
    fields = tuple(entry.get("fields", ()))
    clauses = tuple(_clauses(file, rule, entry, severity, fields))
    clauses += tuple(_possible(clauses)) if possible else ()
    kinds = [key for key in ("unique", "references", "generated") if key in entry]
    if bool(clauses) + len(kinds) != 1:
        raise RuleError(
            file, rule, "fails", "give one of: fails, clauses, unique, references, generated"
        )
    return Check(
        table=entry["table"],
        fields=fields,
        applies=entry.get("applies"),
        clauses=clauses,
        unique=tuple(entry.get("unique", ())),
        same=tuple(entry.get("same", ())),
        references=entry.get("references"),
        each=entry.get("each"),
        about=entry.get("about"),
        generated=entry.get("generated"),
    )


def _clauses(
    file: str, rule: str, entry: Mapping[str, Any], severity: str, fields: tuple[str, ...]
) -> Iterator[Clause]:
    written = {severity: entry["fails"]} if "fails" in entry else entry.get("clauses", {})
    for level in SEVERITIES:
        if level not in written:
            continue
        clause = written[level]
        if isinstance(clause, str):
            clause = {"fails": clause}
        only_keys(file, rule, clause, {"fails", "fields"})
        yield Clause(level, clause["fails"], tuple(clause.get("fields", fields)))
    for level in set(written) - set(SEVERITIES):
        raise RuleError(file, rule, f"clauses.{level}", f"is not one of {', '.join(SEVERITIES)}")


def _possible(clauses: tuple[Clause, ...]) -> Iterator[Clause]:
    for clause in clauses:
        fails = may_violate(clause.fails) if clause.severity == "error" else None
        if fails is not None:
            yield Clause("warning", fails, clause.fields, possible=True)


def only_keys(file: str, rule: str, entry: Any, allowed: set[str]) -> None:
    """Raises RuleError for a key that is not known."""
    if not isinstance(entry, dict):
        raise RuleError(file, rule, "-", "a mapping of keys is expected")
    for key in entry:
        if key not in allowed:
            raise RuleError(
                file, rule, str(key), f"is unknown; known: {', '.join(sorted(allowed))}"
            )
