"""Random schedules against a ledger: plans, commits, deaths, reopening, refreshes, tampering.

In: Hypothesis's choices. Out: an assertion that fails if anything was ever overspent, lost or
accepted that should not be. Used by the tests and, with more schedules, by benchmarks/ledger.py.
"""

import math
import shutil
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dp_accounting
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from fakes.crashes import Died, dying_at
from shopsynth.privacy.budget import BUDGETS
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.ledger import Ledger
from shopsynth.privacy.settings import Budget
from shopsynth.schema import PrivacyError

KEY = b"k" * 32
DELTA = 1e-6
RUN_EPSILON = 2.0
MEMORY = Path("/dev") / "shm"

NOISE = st.sampled_from([2.0, 3.5, 5.0, 8.0, 20.0])
COUNT = st.integers(1, 12)


class LedgerMachine(RuleBasedStateMachine):
    """One source, two handles, and a model of what may have been spent."""

    schedules = 0
    operations = 0
    worst_excess = 0.0

    @initialize(budget=st.sampled_from(["strict", "standard", "relaxed"]))
    def begin(self, budget: Budget) -> None:
        # In memory where there is such a folder: durability is not what is tested here.
        self.home = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.budget: Budget = budget
        self.greatest = BUDGETS[budget]
        self.squared: dict[str, float] = {}
        self.open: set[str] = set()
        self.data = 0
        self.handles = [self.ledger(), self.ledger()]
        type(self).schedules += 1

    def ledger(self) -> Ledger:
        return Ledger.open(
            self.home / "ledger",
            source="shop",
            key=KEY,
            budget=self.budget,
            delta=DELTA,
            heads=self.home / "heads",
            clock=self.tick,
        )

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    @rule(noise=NOISE, count=COUNT, which=st.integers(0, 1))
    def reserve(self, noise: float, count: int, which: int) -> None:
        with suppress(PrivacyError):
            self.note(self.ask(self.handles[which], noise, count), noise, count)
        self.agree()

    @rule(which=st.integers(0, 1))
    def race(self, which: int) -> None:
        """Both handles see the same allowance and want all of it: one at most gets it."""
        allowed = self.handles[0].allowance(RUN_EPSILON, DELTA)
        if allowed <= 1e-6:
            return
        won = 0
        for handle in (self.handles[which], self.handles[1 - which]):
            with suppress(PrivacyError):
                self.note(self.ask(handle, 1 / allowed, 1), 1 / allowed, 1)
                won += 1
        assert won >= 1, "what the ledger allows it grants"
        self.agree()

    @rule(which=st.integers(0, 1))
    def commit(self, which: int) -> None:
        for name in sorted(self.open)[:1]:
            self.handles[which].commit(name)
            self.open.discard(name)

    @rule(step=st.integers(0, 12), noise=NOISE, count=COUNT)
    def die(self, step: int, noise: float, count: int) -> None:
        """A plan is lost with its process, or counts: nothing between, and nobody is told less."""
        name = None
        try:
            with dying_at(step):
                name = self.ask(self.handles[0], noise, count)
        except (Died, PrivacyError):
            pass
        self.handles[0] = self.ledger()
        found = {each.name for each in self.handles[0].account().reservations}
        new = found - set(self.squared)
        assert len(new) <= 1
        assert name is None or new == {name}
        for each in new:
            self.note(each, noise, count)
        self.agree()

    @rule()
    def reopen(self) -> None:
        self.handles = [self.ledger(), self.ledger()]
        self.agree()

    @rule()
    def refresh(self) -> None:
        self.data += 1

    @rule(budget=st.sampled_from(["standard", "relaxed"]))
    def enlarge(self, budget: Budget) -> None:
        with suppress(PrivacyError):
            self.handles[0].raise_budget(budget, actor="test")
            self.budget = budget
            self.greatest = max(self.greatest, BUDGETS[budget])

    @rule(where=st.floats(0, 0.999), what=st.sampled_from(["flip", "cut", "forget"]))
    def tamper(self, where: float, what: str) -> None:
        path = next((self.home / "ledger").glob("*.jsonl"))
        kept = path.read_bytes()
        lines = kept.splitlines(keepends=True)
        if what == "flip":
            at = int(where * (len(kept) - 1))
            path.write_bytes(kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :])
        elif what == "cut":
            path.write_bytes(b"".join(lines[: int(where * len(lines))]))
        else:
            del lines[int(where * len(lines))]
            path.write_bytes(b"".join(lines))
        try:
            self.handles[0].account()
        except PrivacyError:
            pass
        else:
            raise AssertionError(f"a record that was changed ({what}) was accepted")
        path.write_bytes(kept)
        self.agree()

    def ask(self, handle: Ledger, noise: float, count: int) -> str:
        type(self).operations += 1
        return handle.reserve(
            [Charge("counts", "gaussian", noise, count)],
            fingerprint=f"data {self.data}",
            run_epsilon=RUN_EPSILON,
            run_delta=DELTA,
            actor="test",
        )

    def note(self, name: str, noise: float, count: int) -> None:
        self.squared[name] = count / noise**2
        self.open.add(name)

    def agree(self) -> None:
        """The ledger knows every plan, tells epsilon as the reference does, and stays within."""
        account = self.handles[1].account()
        assert {each.name for each in account.reservations} == set(self.squared)
        if not self.squared:
            return
        told = account.snapshot().epsilon
        mu = math.sqrt(math.fsum(self.squared.values()))
        true = dp_accounting.get_epsilon_gaussian(1 / mu, DELTA, tol=1e-10)
        assert true * (1 - 1e-7) <= told <= true * 1.01
        assert true <= self.greatest * (1 + 1e-7), "overspent"
        type(self).worst_excess = max(type(self).worst_excess, told / true - 1)

    def teardown(self) -> None:
        if hasattr(self, "home"):
            self.agree()
            shutil.rmtree(self.home)
