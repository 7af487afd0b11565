"""Answers on disk: what was paid for once is never asked again, whatever kills the program.

In: requests by their keys. Out: stored answers, the right to ask, and what it all cost.

One SQLite file in write-ahead mode. An answer, its price and the end of its claim are one
transaction that is on the disk before anybody sees the answer. The key is the hash of the whole
request and of the model in it, and not of the address: the same model behind another URL (a proxy,
an embedded server on another port) is not paid twice. Prompts are not stored, answers are.

Two processes share a folder: who wants to ask claims the request first. A claim holds as long as
its owner lives, which a lock of the operating system tells, and no clock.
"""

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from filelock import FileLock, Timeout

from shopsynth.generate.llm.amounts import Amount, Limit
from shopsynth.generate.llm.endpoint import Reply
from shopsynth.schema import WorkspaceError, sha256_of

FILE = "answers.sqlite"

Claim = Literal["ours", "theirs"]
Hold = Literal["send", "wait", "spent"]

_BUSY_S = 60.0
"""How long to wait for another process; one transaction takes milliseconds."""

_VERSION = 2
"""Of the file."""

_KEY_VERSION = 1
"""Of the names of requests: another one would have every answer paid anew."""

_TABLES = (
    "create table answers (key text primary key, text text not null, model text not null,"
    " finish text not null, input_tokens integer not null, output_tokens integer not null)"
    " without rowid",
    # held, tokens: the most that a call now on the wire may cost; null when none is.
    "create table claims (key text primary key, owner text not null, held integer, tokens integer)"
    " without rowid",
    "create table counters (name text primary key, value integer not null) without rowid",
    f"pragma user_version = {_VERSION}",
)

COUNTERS = (
    "paid", "unpaid", "uncertain", "served", "input_tokens", "output_tokens", "spent", "tokens",
)  # fmt: skip
"""What is counted; ``spent`` in billionths of the currency, the others in calls and tokens."""

_UPGRADE = (
    "alter table claims add column tokens integer",
    "insert into counters select 'tokens', sum(value) from counters"
    " where name in ('input_tokens', 'output_tokens')",
    f"pragma user_version = {_VERSION}",
)
"""From version 1, which knew no budget of tokens: its answers are paid for and stay."""


@dataclass(frozen=True)
class Counts:
    """What a folder of answers has cost so far, over all runs and processes.

    Attributes:
        paid: Calls that were answered and billed.
        unpaid: Calls that failed and were surely not billed.
        uncertain: Calls whose end nobody here saw: they may have been billed, and count as such.
        served: Answers that came from the disk instead of a call.
        input_tokens: Tokens sent in paid calls.
        output_tokens: Tokens answered in paid calls.
        spent: Money in billionths, uncertain calls at the most they may have cost.
        tokens: Sent and answered, uncertain calls at the most they may have had.
        held: Money in billionths that calls now under way may cost.
    """

    paid: int
    unpaid: int
    uncertain: int
    served: int
    input_tokens: int
    output_tokens: int
    spent: int
    tokens: int
    held: int


def request_key(payload: dict[str, Any], variant: int = 0) -> str:
    """Name a request by what is asked, and of which model.

    Args:
        payload: The JSON body.
        variant: Number of a further answer to the same body.

    Example:
        >>> request_key({"model": "a"}) == request_key({"model": "a"}, variant=1)
        False
    """
    return sha256_of({"payload": payload, "variant": variant, "version": _KEY_VERSION})


class AnswerStore:
    """The answers of one folder. Safe to use from many threads and processes of one machine.

    Args:
        folder: Where the file lies or will lie; on a local disk, as SQLite's write-ahead log asks.

    Raises:
        WorkspaceError: If the folder cannot be used, or the file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = threading.Lock()
        self._served = 0
        self._ours: set[str] = set()
        self._me = secrets.token_hex(8)
        self._owners = folder / "owners"
        try:
            self._owners.mkdir(parents=True, exist_ok=True)
            # By hand for its permissions; SQLite gives its own further files the same.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise WorkspaceError(
                f"answers in {folder}: expected a folder to write to, got {error.strerror}"
            ) from error
        self._alive = FileLock(self._owners / f"{self._me}.lock", thread_local=False)
        self._connection = sqlite3.connect(
            self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        with self._told():
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._make_once()
        with self._writing():
            # Inside a transaction, so that nobody buries us between making the file and locking it.
            self._alive.acquire()
        self.bury_dead()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Note what was served, and close the file."""
        with self._writing() as sql:
            _count(sql, served=self._served)
        self._served = 0
        self._connection.close()
        self._alive.release()
        Path(self._alive.lock_file).unlink(missing_ok=True)

    def answer(self, key: str) -> Reply | None:
        """Return a stored answer, or ``None``."""
        with self._lock, self._told():
            row = self._connection.execute(
                "select text, model, finish, input_tokens, output_tokens from answers"
                " where key = ?",
                (key,),
            ).fetchone()
            self._served += row is not None
        return Reply(*row) if row else None

    def claim(self, key: str) -> Claim:
        """Ask for the right to send a request; whoever has it must release it.

        Returns:
            ``"theirs"`` if another thread or living process has it, or if it is answered by now.
        """
        with self._writing() as sql:
            answered = sql.execute("select 1 from answers where key = ?", (key,)).fetchone()
            if answered or key in self._ours:
                return "theirs"
            sql.execute("insert or ignore into claims values (?, ?, null, null)", (key, self._me))
            owner = sql.execute("select owner from claims where key = ?", (key,)).fetchone()[0]
            if owner != self._me:
                return "theirs"
            self._ours.add(key)
            return "ours"

    def hold(self, key: str, most: Amount, limit: Limit) -> Hold:
        """Note that a claimed request is about to be sent, unless it might break a budget.

        Args:
            key: The request.
            most: The most it may cost.
            limit: The most that may be spent in all.

        Returns:
            ``"send"``; ``"wait"`` while calls under way might still use a budget up; or
            ``"spent"``.
        """
        with self._writing() as sql:
            spent = _spent(sql)
            if limit.passed_by(spent + most):
                return "spent"
            if limit.passed_by(spent + _held(sql) + most):
                return "wait"
            sql.execute(
                "update claims set held = ?, tokens = ? where key = ?",
                (most.money, most.tokens, key),
            )
        return "send"

    def settle_paid(self, key: str, reply: Reply, cost: Amount, *, keep: bool = True) -> None:
        """Keep a paid answer; when this returns it is on the disk.

        Args:
            key: The request.
            reply: The answer.
            cost: What it cost.
            keep: Whether the answer may be served; otherwise only its price is noted.
        """
        with self._writing() as sql:
            if keep:
                sql.execute(
                    "insert or ignore into answers values (?, ?, ?, ?, ?, ?)",
                    (key, reply.text, reply.model, reply.finish,
                     reply.input_tokens, reply.output_tokens),
                )  # fmt: skip
            sql.execute("delete from claims where key = ?", (key,))
            _count(
                sql,
                paid=1,
                spent=cost.money,
                tokens=cost.tokens,
                input_tokens=reply.input_tokens,
                output_tokens=reply.output_tokens,
            )

    def settle_failed(self, key: str, *, billed: bool) -> None:
        """Note a call that brought no answer; the claim stays, for another try.

        Args:
            key: The request.
            billed: Whether it may have been billed: then it counts at the most it may have cost.
        """
        with self._writing() as sql:
            row = sql.execute("select held, tokens from claims where key = ?", (key,)).fetchone()
            sql.execute("update claims set held = null, tokens = null where key = ?", (key,))
            spent, tokens = row if billed else (0, 0)
            _count(sql, spent=spent, tokens=tokens, uncertain=billed, unpaid=not billed)

    def release(self, key: str) -> None:
        """Give a claimed request back; a call that nobody settled counts as uncertain."""
        with self._writing() as sql:
            row = sql.execute("select held, tokens from claims where key = ?", (key,)).fetchone()
            if row is not None and row[0] is not None:
                _count(sql, uncertain=1, spent=row[0], tokens=row[1])
            sql.execute("delete from claims where key = ?", (key,))
            self._ours.discard(key)

    def bury_dead(self) -> None:
        """Free the claims of processes that are gone.

        A call that such a process had on the wire may have been billed: it counts as that.
        """
        with self._writing() as sql:
            owners = sql.execute("select distinct owner from claims").fetchall()
            known = {row[0] for row in owners} | {f.stem for f in self._owners.glob("*.lock")}
            for owner in sorted(known - {self._me}):
                lock = FileLock(self._owners / f"{owner}.lock")
                try:
                    lock.acquire(blocking=False)
                except Timeout:
                    continue
                flying, spent, tokens = sql.execute(
                    "select count(held), coalesce(sum(held), 0), coalesce(sum(tokens), 0)"
                    " from claims where owner = ?",
                    (owner,),
                ).fetchone()
                _count(sql, uncertain=flying, spent=spent, tokens=tokens)
                sql.execute("delete from claims where owner = ?", (owner,))
                lock.release()
                Path(lock.lock_file).unlink(missing_ok=True)

    def counts(self) -> Counts:
        """Return what the folder has cost, this run's served answers included."""
        with self._lock, self._told():
            sql = self._connection
            found = dict(sql.execute("select name, value from counters").fetchall())
            found["served"] += self._served
            return Counts(**found, held=_held(sql).money)

    def _make_once(self) -> None:
        sql = self._connection
        sql.execute("begin immediate")
        version = sql.execute("pragma user_version").fetchone()[0]
        if version == 0:
            for statement in _TABLES:
                sql.execute(statement)
            sql.executemany("insert into counters values (?, 0)", [(name,) for name in COUNTERS])
        elif version == 1:
            for statement in _UPGRADE:
                sql.execute(statement)
        sql.execute("commit")
        if version not in range(_VERSION + 1):
            raise WorkspaceError(
                f"answers {self.path}: expected version {_VERSION}, got {version}; it was written "
                "by another version of shopsynth: use that one, or another folder"
            )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._told():
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what SQLite says into what to do."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise WorkspaceError(
                f"answers {self.path}: expected to read and write, got: {error}; see that the disk "
                "has room and is a local one, and try again"
            ) from error
        except sqlite3.DatabaseError as error:
            raise WorkspaceError(
                f"answers {self.path}: expected an SQLite file, got: {error}; put it back from a "
                "backup, or move it away: what was paid for before is then asked anew"
            ) from error


def _count(sql: sqlite3.Connection, **more: int) -> None:
    sql.executemany(
        "update counters set value = value + ? where name = ?",
        [(value, name) for name, value in more.items() if value],
    )


def _spent(sql: sqlite3.Connection) -> Amount:
    found = dict(sql.execute("select name, value from counters").fetchall())
    return Amount(int(found["spent"]), int(found["tokens"]))


def _held(sql: sqlite3.Connection) -> Amount:
    row = sql.execute("select coalesce(sum(held), 0), coalesce(sum(tokens), 0) from claims")
    return Amount(*map(int, row.fetchone()))
