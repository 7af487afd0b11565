"""Ledger: the lasting record of what was spent on a source, which refuses to overspend.

In: charges, before their mechanisms read a row. Out: reservations, or a refusal.

The budget belongs to the source for its whole life. What is reserved counts as spent, whatever
happens afterwards. A record is a chain of lines (:mod:`shopsynth.privacy.chain`) in the ledger's
folder; its head lies in the user's configuration folder beside the key, so that a record that was
cut, edited, or put into another folder is noticed. There is one lock a folder and one a source.
"""

import hmac
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from shopsynth.privacy.account import Account, replay
from shopsynth.privacy.budget import BUDGETS, check_budget
from shopsynth.privacy.chain import Chain, Line
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.code_hash import code_hash
from shopsynth.privacy.key import check_key, key_id
from shopsynth.privacy.ledger_index import LedgerIndex, Rows
from shopsynth.privacy.population import SAME_PEOPLE, share_in_common
from shopsynth.privacy.settings import Budget, PrivacySettings
from shopsynth.schema import PrivacyError, PrivacyLedger, SourceError

SYSTEM_NOISE = "operating system"
"""Where noise comes from, unless a test says otherwise."""

_RELATION = "add or remove one user"
_BUSY_S = 60.0
_ID_BYTES = 8


class Ledger:
    """The record of one source.

    Made by :meth:`open` or :meth:`find`. It holds no state but where things are: each call reads
    the record anew, so many processes may hold one.
    """

    def __init__(
        self, folder: Path, heads: Path, source: str, key: bytes, clock: Callable[[], datetime]
    ) -> None:
        check_key(key, "ledger")
        self.source = source_id(source, key)
        self.folder = folder
        self._heads = heads
        self._clock = clock
        self._key_id = key_id(key)
        self._chain = Chain(
            folder / f"{self.source}.jsonl", heads / f"{self.source}.json", self.source, key
        )
        self._index = LedgerIndex(folder / "index.sqlite")

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        source: str,
        key: bytes,
        budget: Budget,
        delta: float,
        heads: Path | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> Self:
        """Open the record of a source, or begin one.

        Args:
            folder: Where ledgers are kept; made if need be.
            source: The source's name. The record holds a keyed hash of it.
            key: The pseudonym key.
            budget: What all runs may spend together. Tighter than recorded tightens it for good.
            delta: Failure probability for life; the smaller of this and the recorded one holds.
            heads: Where heads are kept; without it the user's configuration folder.
            clock: Tells the time; a test gives its own.

        Raises:
            PrivacyError: If the record was cut, edited or belongs to another source or key, or if a
                larger budget is asked than recorded.
        """
        ledger = cls(folder, heads or _default_heads(), source, key, clock or _now)
        with ledger._locked() as (lines, rows):
            if not lines:
                facts = {
                    "budget": budget, "delta": delta, "unit": "user", "relation": _RELATION,
                    "key_id": ledger._key_id,
                }  # fmt: skip
                ledger._append(lines, rows, "opened", facts)
                return ledger
            account = replay(ledger.source, lines)
            if BUDGETS[budget] > account.epsilon:
                raise PrivacyError(
                    f"ledger of source {ledger.source}: expected a budget of {account.budget} at "
                    f"most, as recorded, got {budget}; a larger one is given on purpose: "
                    f"shopsynth privacy budget --raise {budget}"
                )
            if BUDGETS[budget] < account.epsilon or delta < account.delta:
                facts = {"budget": budget, "delta": min(delta, account.delta)}
                ledger._append(lines, rows, "budget_tightened", facts)
        return ledger

    @classmethod
    def find(
        cls,
        folder: Path,
        *,
        source: str,
        key: bytes,
        heads: Path | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> Self:
        """Return the record of a source that has one.

        Raises:
            SourceError: If it has none.
            PrivacyError: If it cannot be trusted.
        """
        ledger = cls(folder, heads or _default_heads(), source, key, clock or _now)
        if folder.is_dir():
            with ledger._locked() as (lines, _):
                if lines:
                    return ledger
        raise SourceError(
            f"ledger {folder}: expected a record of this source, got none; it begins with the "
            "first run in mode dp, and the name has to be the one in the recipe"
        )

    def account(self) -> Account:
        """Read the record and return what it adds up to.

        Raises:
            PrivacyError: If it cannot be trusted.
        """
        with self._locked() as (lines, _):
            return replay(self.source, lines)

    def allowance(self, run_epsilon: float, run_delta: float, run: str = "") -> float:
        """Find the largest mu that Gaussian plans of a run may have together.

        What the run itself has reserved is not taken off: methods of one run share a whole.
        """
        return self.account().allowance(run_epsilon, run_delta, run)

    def snapshot(self) -> PrivacyLedger:
        """Return what was spent so far, for reports."""
        return self.account().snapshot()

    def check_owner(self, fingerprint: str, population: Sequence[int] = ()) -> None:
        """Refuse data that another source has spent on: a new name is no new budget.

        Args:
            fingerprint: Of the data; equal data are known by it.
            population: Their sketch, by which changed data of the same people are known.

        Raises:
            PrivacyError: If they belong to another source of this folder.
        """
        with self._locked() as (_, rows):
            self._check_owner(rows, fingerprint, population)

    def reserve(
        self,
        charges: Sequence[Charge],
        *,
        fingerprint: str,
        run_epsilon: float,
        run_delta: float,
        actor: str,
        run: str = "",
        rng: str = SYSTEM_NOISE,
        population: Sequence[int] = (),
    ) -> str:
        """Set a plan aside for ever; only then may its mechanisms read.

        Args:
            charges: What all mechanisms of the plan cost. Their parameters must not depend on each
                other's answers.
            fingerprint: Of the data they read.
            run_epsilon: What the run may spend.
            run_delta: Likewise.
            actor: Who asks, for the record.
            run: Id of the run; plans of one run share its budget. Without one the plan stands
                alone.
            rng: Where the noise comes from, for the record.
            population: Sketch of the data's people (:mod:`shopsynth.privacy.population`).

        Returns:
            The reservation's id.

        Raises:
            PrivacyError: If the plan is empty or does not fit the run or the life of the source, or
                the record cannot be trusted. Nothing is spent then.
        """
        if not charges:
            raise PrivacyError(
                f"{actor}: expected charges of every mechanism that reads people's rows, got none; "
                "nothing that reads them is free"
            )
        reservation = secrets.token_hex(_ID_BYTES)
        with self._locked() as (lines, rows):
            self._check_owner(rows, fingerprint, population)
            account = replay(self.source, lines)
            account.check(charges, run or reservation, run_epsilon, run_delta)
            facts = {
                "reservation": reservation,
                "run": run or reservation,
                "run_epsilon": run_epsilon,
                "run_delta": run_delta,
                "fingerprint": fingerprint,
                "population": list(population),
                "charges": [charge.to_json() for charge in charges],
                "adaptive": bool(account.reservations),
                "filter": account.rule_with(charges).to_json(),
                "relation": _RELATION,
                "code": code_hash(),
                "rng": rng,
                "actor": actor,
            }
            self._append(lines, rows, "reserved", facts)
        return reservation

    def commit(self, reservation: str) -> None:
        """Note that the answers of a reservation were given.

        Raises:
            PrivacyError: If there is no such reservation, or it is committed already.
        """
        with self._locked() as (lines, rows):
            found = replay(self.source, lines).reservations
            states = [each.committed for each in found if each.name == reservation]
            if states != [False]:
                known = "one that was committed before" if states else "none of that id"
                raise PrivacyError(
                    f"ledger of source {self.source}: expected an open reservation to commit, got "
                    f"{known}; each answer is reserved and committed once"
                )
            self._append(lines, rows, "committed", {"reservation": reservation})

    def raise_budget(self, budget: Budget, *, actor: str) -> None:
        """Give the source a larger budget for life, on purpose and on record.

        Raises:
            PrivacyError: If it is no larger than the recorded one.
        """
        with self._locked() as (lines, rows):
            account = replay(self.source, lines)
            if BUDGETS[budget] <= account.epsilon:
                raise PrivacyError(
                    f"ledger of source {self.source}: expected a larger budget than "
                    f"{account.budget}, as recorded, got {budget}; a smaller one is set in the "
                    "recipe"
                )
            facts = {"budget": budget, "delta": account.delta, "actor": actor}
            self._append(lines, rows, "budget_raised", facts)

    @contextmanager
    def _locked(self) -> Iterator[tuple[list[Line], Rows]]:
        """Hold both locks and return lines that chain, head and index agree on."""
        for folder in (self.folder, self._heads):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        guard = FileLock(self._heads / f"{self.source}.lock", timeout=_BUSY_S, mode=0o600)
        try:
            guard.acquire()
        except Timeout as error:
            raise PrivacyError(
                f"ledger of source {self.source}: another process has held it for {_BUSY_S:g} s; "
                "try again when it has finished"
            ) from error
        try:
            with self._index.locked() as rows:
                self._refuse_other_keys()
                lines = self._chain.read()
                rows.compare(self.source, lines)
                yield lines, rows
        finally:
            guard.release()

    def _append(self, lines: list[Line], rows: Rows, event: str, facts: dict[str, Any]) -> None:
        stamped = {**facts, "time": self._clock().isoformat(timespec="seconds")}
        rows.remember(self.source, [self._chain.append(lines, event, stamped)])

    def _check_owner(self, rows: Rows, fingerprint: str, population: Sequence[int]) -> None:
        owner = rows.owner(fingerprint)
        if owner is None and population:
            owner = _same_people(rows.sketches(), population, self.source)
        if owner not in (None, self.source):
            raise PrivacyError(
                f"ledger {self.folder}: expected data of source {self.source}, got data that "
                f"belong to source {owner}, which has spent on them; name that source in the "
                "recipe (source, under [privacy]): a new name is no new budget"
            )

    def _refuse_other_keys(self) -> None:
        """Refuse a folder that was begun with another key: its budgets would all look unspent."""
        for chain in sorted(self.folder.glob("*.jsonl")):
            with chain.open(encoding="utf-8", errors="replace") as stream:
                first = stream.readline()
            if '"key_id":"' in first and f'"key_id":"{self._key_id}"' not in first:
                raise PrivacyError(
                    f"ledger {self.folder}: expected the pseudonym key that it was begun with, got "
                    "another; bring that key back, or count these sources' budgets as spent"
                )


def _same_people(
    sketches: Mapping[str, Collection[int]], population: Sequence[int], asking: str
) -> str | None:
    """Return another source that holds rows of these people, if there is one."""
    others = sorted(source for source in sketches if source != asking)
    for source in others:
        if share_in_common(sketches[source], population) >= SAME_PEOPLE:
            return source
    return None


def open_ledger(
    settings: PrivacySettings,
    key: bytes,
    *,
    source_name: str,
    fingerprint: str | None = None,
    population: Sequence[int] = (),
) -> Ledger:
    """Open the ledger that a recipe names.

    Args:
        settings: The recipe's ``[privacy]`` block, in mode ``dp``.
        key: The pseudonym key.
        source_name: The source's name where the settings give none.
        fingerprint: Of the data, to refuse data of another source before anything is reserved.
        population: Their sketch, likewise.

    Raises:
        PrivacyError: As :func:`check_budget`, :meth:`Ledger.open` and :meth:`Ledger.check_owner`.
    """
    budget = check_budget(settings)
    ledger = Ledger.open(
        ledger_folder(settings.ledger),
        source=settings.source or source_name,
        key=key,
        budget=settings.budget,
        delta=budget.delta,
    )
    if fingerprint is not None:
        ledger.check_owner(fingerprint, population)
    return ledger


def ledger_folder(given: str | None = None) -> Path:
    """Return the folder of ledgers: the given one, or the one in the user's state folder."""
    if given:
        return Path(given).expanduser()
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "shopsynth" / "ledger"


def source_id(source: str, key: bytes) -> str:
    """Name a source without telling its name.

    Example:
        >>> source_id("shop", b"k" * 16) == source_id("shop", b"another key of bytes")
        False
    """
    return hmac.digest(key, b"shopsynth ledger source\x00" + source.encode(), "sha256").hex()[:32]


def _default_heads() -> Path:
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "shopsynth" / "heads"


def _now() -> datetime:
    return datetime.now(tz=UTC)
