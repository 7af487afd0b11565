"""A thousand random schedules and no overspend; benchmarks/ledger.py runs the ten thousand."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test


@pytest.mark.slow
def test_no_schedule_overspends_and_epsilon_is_the_references():
    pytest.importorskip("dp_accounting")
    from fakes.ledger_machine import LedgerMachine

    LedgerMachine.schedules = 0
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=1_000,
            stateful_step_count=8,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert LedgerMachine.schedules >= 900
    assert LedgerMachine.operations > 1_000
