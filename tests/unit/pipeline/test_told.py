"""What a run tells about privacy: only gates that could have failed count as passed."""

import pytest

from shopsynth.pipeline.told import _privacy_line


def audit(*, passed: bool, threshold: float | None) -> dict[str, object]:
    return {"name": "copies", "passed": passed, "threshold": threshold}


@pytest.mark.parametrize(
    ("audits", "said"),
    [
        ([audit(passed=True, threshold=0.01)], "all audits passed"),
        ([audit(passed=False, threshold=0.01)], "audits failed: copies"),
        ([audit(passed=True, threshold=None)], "no audit could have found copies"),
    ],
)
def test_a_gate_that_cannot_fail_has_not_passed(audits, said):
    assert _privacy_line({"mode": "public", "audits": audits}).endswith(said)
