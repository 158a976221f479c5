"""A small study drawn by hand for the tests of the scorecard: tables of `quality`, `meta` and `core`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from tests.derive import by_hand
from warehouse.scorecard import fill_scorecard

ROOT = Path(__file__).parents[2]
DDL = ROOT / "warehouse" / "sql" / "ddl"
RULES = """
    CMP-01 | Sex known          | error   | completeness | structure
    CMP-02 | Stage known        | warning | completeness | staging
    CON-01 | Code in its list   | error   | conformance  | structure
    PLA-01 | Death after birth  | error   | plausibility | dates
    PLA-02 | Dose is usual      | warning | plausibility | product
    INF-01 | For information    | info    | plausibility | salvage
    MAP-01 | Date can be read   | error   | conformance  | parsing
    STU-01 | Not in two centers | warning | plausibility | duplicates
"""
ENGINES = {"MAP": "mapping", "STU": "study"}


def cells(drawn: str) -> list[list[str | None]]:
    """Lines of cells separated by |; an empty cell is None."""
    return [
        [cell.strip() or None for cell in line.split("|")]
        for line in drawn.strip().splitlines()
        if line.strip()
    ]


def literal(value: object) -> str:
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


class Case:
    """A staged warehouse whose tables a test draws."""

    def __init__(self, path: Path | str = ":memory:", rules: str = RULES) -> None:
        self.con = duckdb.connect(str(path))
        for schema in ("quality", "meta"):
            self.con.execute(f"CREATE SCHEMA {schema}")
            for file in sorted(DDL.glob(f"{schema}_*.sql")):
                self.con.execute(file.read_text(encoding="utf-8"))
        self._insert("meta.run", study_id="MYE", title="Test study", data_cut="2024-12-31",
                     study_hash="h", load_id=1, started_at="2024-01-01", versions="{}")  # fmt: skip
        for rule_id, title, severity, kahn, category in cells(rules):
            self._insert("quality.rule", rule_id=rule_id, title=title, severity=severity, kahn=kahn,
                         category=category, sentence=title,
                         engine=ENGINES.get(str(rule_id)[:3], "rows"))  # fmt: skip

    def core(self, **tables: str) -> Case:
        """Tables of core, drawn as for the tests of the derivations."""
        by_hand.create_core(self.con, **tables)
        return self

    def loads(self, drawn: str) -> Case:
        """load | started at [| outcome]"""
        for load_id, started_at, *outcome in cells(drawn):
            self._insert("quality.load", load_id=load_id, started_at=started_at, n_loaded=1, n_failed=0,
                         n_held=0, study_hash="h", outcome=outcome[0] if outcome else "published")  # fmt: skip
        return self

    def deliveries(self, drawn: str) -> Case:
        """key | load | center | id | received on | mode | current or nothing [| outcome]"""
        for key, load_id, center, name, day, mode, current, *outcome in cells(drawn):
            self._insert("quality.delivery", delivery_key=key, load_id=load_id, center_id=center,
                         delivery_id=name, received_on=day, sequence=1, mode=mode,
                         outcome=outcome[0] if outcome else "loaded",
                         is_current=current == "current", spec_hash="s")  # fmt: skip
        return self

    def checks(self, drawn: str) -> Case:
        """delivery | rule | outcome | failed | judged"""
        for key, rule_id, outcome, failed, judged in cells(drawn):
            self._insert("quality.check_run", delivery_key=key, load_id=1, rule_id=rule_id,
                         outcome=outcome, numerator=failed, denominator=judged)  # fmt: skip
        return self

    def ledger(self, drawn: str) -> Case:
        """delivery | step | table | outcome | rows"""
        for key, step, table, outcome, n_rows in cells(drawn):
            self._insert("quality.ledger", delivery_key=key, step=step, table=table,
                         outcome=outcome, n_rows=n_rows)  # fmt: skip
        return self

    def queries(self, drawn: str) -> Case:
        """query | center | rule | usubjid | table | field

        Severity is the rule's; the state is set by `events`.
        """
        for query_id, center, rule_id, usubjid, table, field in cells(drawn):
            self.con.execute(
                "INSERT INTO quality.query BY NAME SELECT "
                f"{literal(query_id)} AS query_id, {literal(center)} AS center_id, rule_id, severity, "
                f'{literal(usubjid)} AS usubjid, {literal(table)} AS "table", {literal(field)} AS field, '
                "'candidate' AS state, TIMESTAMP '2000-01-01' AS created_at, 0 AS n_reopened "
                f"FROM quality.rule WHERE rule_id = {literal(rule_id)}"
            )
        return self

    def events(self, drawn: str) -> Case:
        """at | actor | load | query | event | state after [| resolution]; in order."""
        for at, actor, load_id, query_id, event, to_state, *resolution in cells(drawn):
            settled = resolution[0] if resolution else None
            self.con.execute(
                "INSERT INTO quality.query_event BY NAME SELECT "
                f'{literal(query_id)} AS query_id, TIMESTAMP {literal(at)} AS "at", '
                f"{literal(actor)} AS actor, {literal(load_id)}::INTEGER AS load_id, "
                f'{literal(event)} AS "event", {literal(to_state)} AS to_state, '
                f"{literal(settled)} AS resolution, (SELECT count(*) + 1 FROM quality.query_event "
                f"WHERE query_id = {literal(query_id)}) AS event_number"
            )
            created = f", created_at = TIMESTAMP {literal(at)}" if event == "created" else ""
            released = f", released_at = TIMESTAMP {literal(at)}" if event == "released" else ""
            ended = to_state in ("closed", "cancelled", "resolved")
            self.con.execute(
                f"UPDATE quality.query SET state = {literal(to_state)}, "
                f"resolution = {literal(settled)}, "
                f"ended_at = {f'TIMESTAMP {literal(at)}' if ended else 'NULL'}{created}{released}, "
                f"n_reopened = n_reopened + {int(event == 'reopened')} "
                f"WHERE query_id = {literal(query_id)}"
            )
        return self

    def fill(self) -> Case:
        """Computes the scorecard; core stays empty where it was not drawn."""
        known = self.con.execute("SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'core'")
        if not known.fetchall()[0][0]:
            self.core()
        fill_scorecard(self.con)
        return self

    def value(self, center: str, figure: str, level: str | None = None, load: int | None = None):
        """The figure of the newest load, or of the one named."""
        return self.row(center, figure, level, load)["value"]

    def row(
        self, center: str, figure: str, level: str | None = None, load: int | None = None
    ) -> dict[str, Any]:
        which = "(SELECT max(load_id) FROM quality.scorecard)" if load is None else str(load)
        result = self.con.execute(
            f"SELECT * FROM quality.scorecard WHERE center_id = {literal(center)} AND figure = {literal(figure)} "
            f'AND "level" IS NOT DISTINCT FROM {literal(level)} AND load_id = {which}'
        )
        names = [column[0] for column in result.description]
        found = result.fetchall()
        assert len(found) == 1, (center, figure, level, found)
        return dict(zip(names, found[0], strict=True))

    def _insert(self, into: str, /, **values: object) -> None:
        columns = ", ".join(f'"{name}"' for name in values)
        given = ", ".join(literal(value) for value in values.values())
        self.con.execute(f"INSERT INTO {into} ({columns}) VALUES ({given})")
