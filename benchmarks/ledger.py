"""The ledger: what composing jointly saves, and whether 10,000 random schedules ever overspend.

In: nothing. Out: benchmarks/results/ledger_composition.json and ledger_schedules.json.

    python benchmarks/ledger.py
"""

import sys
import time
from pathlib import Path

from _record import record
from dp_accounting import dp_event, rdp
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from shopsynth.privacy.accounting import compose
from shopsynth.privacy.charges import Charge

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from fakes.ledger_machine import LedgerMachine

DELTA = 1e-6
SCHEDULES = 10_000
SAVING = 0.25
EXCESS = 0.01
RUN = {
    "DP-SGD, q = .01, sigma = 1, 1,500 steps": Charge("a", "poisson_gaussian", 1.0, 1500, 0.01),
    "10 votes, sigma = 20": Charge("b", "gaussian", 20.0, 10),
    "60 marginals, sigma = 30": Charge("c", "gaussian", 30.0, 60),
    "a histogram, sigma = 25": Charge("d", "gaussian", 25.0),
}


def renyi_epsilon() -> float:
    accountant = rdp.RdpAccountant()
    for charge in RUN.values():
        event = dp_event.GaussianDpEvent(charge.noise_multiplier)
        if charge.kind == "poisson_gaussian":
            event = dp_event.PoissonSampledDpEvent(charge.sampling_rate, event)
        accountant.compose(event, charge.count)
    return float(accountant.get_epsilon(DELTA))


def composition() -> None:
    before = time.process_time()
    alone = {name: compose([charge]).epsilon(DELTA) for name, charge in RUN.items()}
    naive, joint = sum(alone.values()), compose(RUN.values()).epsilon(DELTA)
    saved = 1 - joint / naive
    record(
        "ledger_composition",
        passed=saved >= SAVING,
        reach=f"at least {SAVING:.0%} below the sum",
        value=round(saved, 4),
        low=round(saved, 4),
        high=round(saved, 4),
        unit="share of the summed epsilons that is saved; computed, no interval",
        peer=("sum of the epsilons", round(naive, 3)),
        data="; ".join(f"{name}: epsilon {value:.3f}" for name, value in alone.items()),
        seeds=1,
        cpu_s=time.process_time() - before,
        note=f"at delta 1e-6: sum {naive:.3f}, RDP {renyi_epsilon():.3f}, privacy-loss "
        f"distributions {joint:.3f}",
    )


def schedules() -> None:
    before = time.process_time()
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=SCHEDULES,
            stateful_step_count=8,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # An overspend, a lost plan or an accepted forgery would have ended the program above.
    worst = LedgerMachine.worst_excess
    record(
        "ledger_schedules",
        passed=LedgerMachine.schedules >= SCHEDULES and worst <= EXCESS,
        reach="0 overspends; epsilon never below the reference, at most 1 % above",
        value=0,
        low=0,
        high=0,
        unit="overspends; a count, no interval",
        peer=("largest excess of epsilon over dp-accounting", worst),
        data="plans, commits, deaths at any write, reopening, races, refreshes, raises, tampering",
        seeds=LedgerMachine.schedules,
        cpu_s=time.process_time() - before,
        note=f"{LedgerMachine.schedules:,} schedules, {LedgerMachine.operations:,} plans asked; "
        f"epsilon at most {worst:.1e} above the exact one, never below it but for a tolerance "
        "of 1e-7",
    )


if __name__ == "__main__":
    composition()
    schedules()
