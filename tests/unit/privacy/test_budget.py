"""A budget is checked before a row is read, and every fault is named at once."""

import math

import pytest

from shopsynth.privacy.budget import RunBudget, check_budget, default_delta
from shopsynth.privacy.settings import PrivacySettings
from shopsynth.schema import PrivacyError


def asked(**values) -> PrivacySettings:
    return PrivacySettings.model_construct(
        **{**PrivacySettings().model_dump(), "epsilon": 1.0, "users": 100, **values}
    )


def test_delta_is_a_millionth_or_less_for_many_users():
    assert check_budget(asked()) == RunBudget(1.0, 1e-6, 100)
    assert check_budget(asked(users=10**7)).delta == default_delta(10**7) == 1e-8
    assert check_budget(asked(delta=1e-4)).delta == 1e-4


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"epsilon": None}, "needs epsilon.*another mode gives"),
        ({"epsilon": 0.0}, "finite number above 0"),
        ({"epsilon": -1.0}, "finite number above 0"),
        ({"epsilon": math.nan}, "finite number above 0"),
        ({"epsilon": math.inf}, "finite number above 0"),
        ({"epsilon": 3.5}, "at most 3"),
        ({"epsilon": 1.5, "budget": "strict"}, "at most 1"),
        ({"users": None}, "needs users"),
        ({"delta": 0.01}, "below 1 / users"),
        ({"delta": math.nan}, "below 1 / users"),
        ({"delta": 0.0}, "below 1 / users"),
    ],
)
def test_each_fault_is_refused_and_named(values, said):
    with pytest.raises(PrivacyError, match=said) as refused:
        check_budget(asked(**values))
    assert refused.value.exit_code == 3


def test_all_faults_are_named_in_one_message():
    with pytest.raises(PrivacyError, match="3 faults") as refused:
        check_budget(asked(epsilon=-1.0, users=None, delta=2.0))
    assert all(word in str(refused.value) for word in ("epsilon", "users", "delta"))


def test_a_weak_budget_has_no_bound():
    assert check_budget(asked(epsilon=50.0, budget="weak")).epsilon == 50.0
