"""Processes that are killed at any write, or spend at the same moment: nothing is overspent."""

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shopsynth.privacy.accounting import gaussian_mu
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.ledger import Ledger

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")

KEY = b"k" * 32
DELTA = 1e-6
TESTS = Path(__file__).parents[2]

BEGIN = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from fakes.crashes import dying_at
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.ledger import Ledger
from shopsynth.schema import PrivacyError

def ledger(home):
    return Ledger.open(home / "ledger", source="shop", key={key!r}, budget="standard",
                       delta={delta!r}, heads=home / "heads")

def spend(ledger, mu):
    return ledger.reserve([Charge("counts", "gaussian", 1 / mu)], fingerprint="data",
                          run_epsilon=1.0, run_delta={delta!r}, actor="child")

home = Path(sys.argv[1])
"""

KILLED_AT_EVERY_WRITE = """
for step in range(int(sys.argv[2])):
    here = home / str(step)
    if sys.argv[3] == "begun":
        spend(ledger(here), 0.1)
    child = os.fork()
    if child == 0:
        with dying_at(step, lambda: os.kill(os.getpid(), signal.SIGKILL)):
            spend(ledger(here), 0.2)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("killed" if os.WIFSIGNALED(status) else "done", flush=True)
"""

WAIT_BEFORE_COMMIT = """
print(spend(ledger(home), 0.2), flush=True)
signal.pause()
"""

SPEND_ALL = """
mine = ledger(home)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(12):
    try:
        mine.commit(spend(mine, 0.2))
        print("spent", flush=True)
    except PrivacyError as error:
        assert "is left" in str(error), error
        print("refused", flush=True)
"""


def start(script: str, *arguments: object) -> subprocess.Popen:
    begin = BEGIN.format(tests=str(TESTS), key=KEY, delta=DELTA)
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", begin + script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def opened(home: Path) -> Ledger:
    return Ledger.open(
        home / "ledger",
        source="shop",
        key=KEY,
        budget="standard",
        delta=DELTA,
        heads=home / "heads",
    )


def mus(ledger: Ledger) -> list[float]:
    return [1 / each.charges[0].noise_multiplier for each in ledger.account().reservations]


@pytest.mark.parametrize("state", ["new", "begun"])
def test_a_process_killed_at_any_write_leaves_all_or_nothing_and_never_a_broken_ledger(
    state, tmp_path
):
    steps = 24
    with start(KILLED_AT_EVERY_WRITE, tmp_path, steps, state) as child:
        ends = child.communicate(timeout=120)[0].split()
    assert child.returncode == 0
    assert len(ends) == steps
    assert ends[0] == "killed"
    assert ends[-1] == "done", "more steps than writes, so that every write was a death once"
    before = [0.1] if state == "begun" else []
    outcomes = set()
    for step, end in enumerate(ends):
        ledger = opened(tmp_path / str(step))
        found = mus(ledger)
        assert found in (before, [*before, 0.2]), f"killed at write {step}"
        assert end == "killed" or found == [*before, 0.2]
        outcomes.add((end, len(found) - len(before)))
        ledger.commit(ledger_reserve(ledger))
        assert len(mus(opened(tmp_path / str(step)))) == len(found) + 1, "it can be used on"
    assert outcomes == {("killed", 0), ("killed", 1), ("done", 1)}


def ledger_reserve(ledger: Ledger) -> str:
    return ledger.reserve(
        [Charge("counts", "gaussian", 20.0)],
        fingerprint="data",
        run_epsilon=1.0,
        run_delta=DELTA,
        actor="test",
    )


def test_what_a_process_reserved_before_it_was_killed_stays_spent(tmp_path):
    with start(WAIT_BEFORE_COMMIT, tmp_path) as child:
        assert child.stdout is not None
        name = child.stdout.readline().strip()
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    told = opened(tmp_path).snapshot()
    assert [(entry.detail["reservation"], entry.status) for entry in told.entries] == [
        (name, "reserved")
    ]
    assert told.mu == pytest.approx(0.2)


def test_processes_that_spend_at_the_same_moment_never_overspend(tmp_path):
    opened(tmp_path)
    children = [start(SPEND_ALL, tmp_path) for _ in range(2)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    told = [child.communicate(timeout=120)[0].split() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    spent = [words.count("spent") for words in told]
    fits = math.floor(gaussian_mu(3.0, DELTA) ** 2 / 0.2**2)
    assert sum(spent) == fits, "no more, and no less"
    assert sum(len(words) for words in told) == 24
    account = opened(tmp_path).account()
    assert len(account.reservations) == fits
    assert all(each.committed for each in account.reservations)
    lines = next((tmp_path / "ledger").glob("*.jsonl")).read_text().splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == list(range(1, len(lines) + 1))
