"""Index of a ledger's folder: the lock that spending happens under, and who owns which data.

In: the lines of a source's chain. Out: one transaction at a time, and a second memory of the lines.

The chain is the truth. The index holds a hash of each line, so a chain that was cut together with
its head still differs from it; if it is lost it is made again from the chains.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from shopsynth.privacy.chain import Line
from shopsynth.schema import PrivacyError

_BUSY_S = 60.0
"""How long to wait for another process; one reservation takes well below a second."""

_TABLES = (
    "create table lines (source text not null, sequence integer not null, hash text not null,"
    " fingerprint text, primary key (source, sequence)) without rowid",
    "create index owners on lines (fingerprint)",
    "create table people (source text not null, hash integer not null,"
    " primary key (source, hash)) without rowid",
)


class LedgerIndex:
    """The SQLite file of a ledger's folder.

    Args:
        path: Where it is or will be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator["Rows"]:
        """Hold the folder's lock: nobody else spends, and nothing is noted if the block fails.

        Raises:
            PrivacyError: If another process holds it for a minute, or the file is damaged.
        """
        try:
            # Made by hand for its permissions; SQLite gives its own temporary files the same.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None)) as held:
                held.execute("begin immediate")
                try:
                    rows = Rows(held, self.path)
                    rows.make_once()
                    yield rows
                except BaseException:
                    held.execute("rollback")
                    raise
                held.execute("commit")
        except sqlite3.OperationalError as error:
            raise PrivacyError(
                f"ledger index {self.path}: expected to lock it, got {error}; another process may "
                "be spending: try again"
            ) from error
        except sqlite3.DatabaseError as error:
            raise PrivacyError(
                f"ledger index {self.path}: expected an SQLite file, got {error}; delete the file, "
                "it is made again from the records beside it"
            ) from error


class Rows:
    """The index inside one transaction.

    Args:
        connection: Holds the lock.
        path: The file, for messages.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def make_once(self) -> None:
        """Make the tables of a new file, and learn what the chains beside it hold."""
        if self._connection.execute("select 1 from sqlite_master where name = 'lines'").fetchone():
            return
        for statement in _TABLES:
            self._connection.execute(statement)
        for chain in sorted(self._path.parent.glob("*.jsonl")):
            self.remember(chain.stem, _unchecked(chain))

    def compare(self, source: str, lines: Sequence[Line]) -> None:
        """Refuse lines that are not those remembered, and learn those that a crash left out.

        Raises:
            PrivacyError: If a remembered line is missing or another one.
        """
        found = self._connection.execute(
            "select hash from lines where source = ? order by sequence", (source,)
        ).fetchall()
        hashes = [row[0] for row in found]
        if hashes != [line["hash"] for line in lines[: len(hashes)]]:
            raise PrivacyError(
                f"ledger index {self._path}: expected the {len(hashes)} lines it remembers of "
                f"source {source}, got {len(lines)} lines that differ; the record was cut or "
                "replaced: put the ledger's folder back from a backup, or count the source's "
                "budget as spent"
            )
        self.remember(source, lines[len(hashes) :])

    def remember(self, source: str, lines: Sequence[Line]) -> None:
        """Note lines that were just written."""
        self._connection.executemany(
            "insert or ignore into lines values (?, ?, ?, ?)",
            [(source, line["sequence"], line["hash"], line.get("fingerprint")) for line in lines],
        )
        self._connection.executemany(
            "insert or ignore into people values (?, ?)",
            [(source, value) for line in lines for value in line.get("population", ())],
        )

    def owner(self, fingerprint: str) -> str | None:
        """Return the id of the source that spent on these data, if one did."""
        found = self._connection.execute(
            "select source from lines where fingerprint = ? limit 1", (fingerprint,)
        ).fetchone()
        return None if found is None else str(found[0])

    def sketches(self) -> dict[str, set[int]]:
        """Return what is known of every source's people, by source."""
        found: dict[str, set[int]] = {}
        for source, value in self._connection.execute("select source, hash from people"):
            found.setdefault(source, set()).add(value)
        return found


def _unchecked(chain: Path) -> list[Line]:
    """Read another source's lines as they are: they are checked when it is opened."""
    lines = []
    for text in chain.read_bytes().split(b"\n")[:-1]:
        try:
            line = json.loads(text)
            lines.append({name: line[name] for name in ("sequence", "hash")} | line)
        except (ValueError, KeyError, TypeError):
            return lines
    return lines
