"""Plain SQL over whole groups of rows: one statement a table and group, the same text every time, so it stays prepared.

Stepping through rows one by one would hand the interpreter lock to the event loop and back at every row; under load that
costs more than the statements. SQLite therefore returns a selection as one JSON value. Table and column names are constants
of this package; values only ever travel as parameters.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

Row = Sequence[Any]
_LARGEST_CHUNK = 64


class Sql:
    """Group statements on a DBAPI connection of `sqlite3` or `psycopg`, inside a transaction that somebody else ends."""

    def __init__(self, driver: Any, dialect: str) -> None:
        self._driver = driver
        self.sqlite = dialect == "sqlite"

    def select(
        self,
        table: str,
        columns: tuple[str, ...],
        key: str,
        values: Sequence[str | int],
        *,
        lock: bool = False,
        also: str = "",
    ) -> list[Row]:
        """Rows whose `key` is one of `values`. lock: PostgreSQL locks them in key order (SQLite's writer is alone); also: a further
        condition, a constant."""
        if not values:
            return []
        if self.sqlite:
            found = self._driver.execute(
                _select_sqlite(table, columns, key, also), (msgspec.json.encode(values).decode(),)
            )
            rows: list[Row] = msgspec.json.decode(found.fetchone()[0])
            return rows
        return list(
            self._driver.execute(
                _select_postgres(table, columns, key, also, lock), (list(values),)
            ).fetchall()
        )

    def find(self, table: str, columns: tuple[str, ...], where: Mapping[str, str | int]) -> list[Row]:
        """Rows that have all of these values: for what is rare, as rows that no index leads to are read one by one."""
        said = " AND ".join(f"{name} = {'?' if self.sqlite else '%s'}" for name in where)
        text = f"SELECT {', '.join(columns)} FROM {table} WHERE {said}"  # noqa: S608  constants, see above
        return list(self._driver.execute(text, tuple(where.values())).fetchall())

    def insert(
        self, table: str, columns: tuple[str, ...], rows: Sequence[Row], *, replace_on: str | None = None
    ) -> None:
        """Inserts; with `replace_on` a row with that key is overwritten. Raises the driver's IntegrityError otherwise."""
        for chunk in _chunks(rows):
            self._driver.execute(_insert(self.sqlite, table, columns, len(chunk), replace_on), _flat(chunk))

    def update(self, table: str, columns: tuple[str, ...], rows: Sequence[Row], *, keys: int) -> int:
        """Updates, where the first `keys` columns are equal, the others. Returns how many rows matched."""
        return sum(
            self._driver.execute(
                _update(self.sqlite, table, columns, keys, len(chunk)), _flat(chunk)
            ).rowcount
            for chunk in _chunks(rows)
        )


def _chunks(rows: Sequence[Row]) -> list[Sequence[Row]]:
    """Powers of two, so that a handful of statements serves groups of any size."""
    chunks, start = [], 0
    while left := len(rows) - start:
        size = min(_LARGEST_CHUNK, 1 << (left.bit_length() - 1))
        chunks.append(rows[start : start + size])
        start += size
    return chunks


def _flat(rows: Sequence[Row]) -> list[Any]:
    return [value for row in rows for value in row]


def _values(sqlite: bool, width: int, rows: int) -> str:
    row = "(" + ",".join(["?" if sqlite else "%s"] * width) + ")"
    return ",".join([row] * rows)


@lru_cache(maxsize=64)
def _select_sqlite(table: str, columns: tuple[str, ...], key: str, also: str) -> str:
    return (
        f"SELECT json_group_array(json_array({', '.join(columns)})) FROM {table}"  # noqa: S608  constants, see above
        f" WHERE {key} IN (SELECT value FROM json_each(?)){also and f' AND {also}'}"
    )


@lru_cache(maxsize=64)
def _select_postgres(table: str, columns: tuple[str, ...], key: str, also: str, lock: bool) -> str:
    suffix = (also and f" AND {also}") + (f" ORDER BY {key} FOR UPDATE" if lock else "")
    return f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = ANY(%s){suffix}"  # noqa: S608  constants, see above


@lru_cache(maxsize=512)
def _insert(sqlite: bool, table: str, columns: tuple[str, ...], rows: int, replace_on: str | None) -> str:
    text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {_values(sqlite, len(columns), rows)}"  # noqa: S608  constants
    if replace_on is not None:
        changes = ", ".join(f"{c} = excluded.{c}" for c in columns if c != replace_on)
        text += f" ON CONFLICT ({replace_on}) DO UPDATE SET {changes}"
    return text


@lru_cache(maxsize=512)
def _update(sqlite: bool, table: str, columns: tuple[str, ...], keys: int, rows: int) -> str:
    numbered = list(enumerate(columns, 1))
    changes = ", ".join(f"{name} = v.column{i}" for i, name in numbered[keys:])
    where = " AND ".join(f"{table}.{name} = v.column{i}" for i, name in numbered[:keys])
    values = _values(sqlite, len(columns), rows)
    return f"UPDATE {table} SET {changes} FROM (VALUES {values}) AS v WHERE {where}"  # noqa: S608  constants, see above
