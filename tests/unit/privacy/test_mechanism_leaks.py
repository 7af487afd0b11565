"""Faults planted in real mechanisms, each caught by an audit that the mechanism itself passes.

A trial of a Gaussian mechanism is its exact sums, as it handed them to the noise source, plus a
draw of the scale it asked for: thousands of trials cost one answer.
"""

import dataclasses
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fakes.noise import Asked, NoNoise, SeededNoise
from shopsynth.evaluate.mechanism_audit import (
    MechanismAudit,
    audit_mu,
    audit_poisson,
    joint_scores,
)
from shopsynth.privacy.bounds import one_key_a_person
from shopsynth.privacy.mechanisms import (
    MECHANISMS,
    Amount,
    DPQuantiles,
    DPVocabulary,
    HistoryLength,
    Mechanism,
    NearestVotes,
    NoisyCount,
    UserHistogram,
)
from shopsynth.privacy.mechanisms.dp_sgd import Loss, Predict, Schedule, train_private
from shopsynth.privacy.noise import NoiseSource, SystemNoise
from shopsynth.schema import Dataset

SIGMA = 1 / 0.2371
"""Epsilon 1 at delta 1e-6 (PRIVACY §1)."""

TEXTS = ("good tea", "small shoes")


def shop(histories: dict[str, list[tuple[str, float]]]) -> Dataset:
    """Make events of (item, price) and a review an event, whose text is the item's name."""
    rows = [(user, *row) for user, held in histories.items() for row in held]
    users, items, prices = ([row[side] for row in rows] for side in range(3))
    number = range(len(rows))
    return Dataset(
        items=pl.DataFrame({"item_id": list(TEXTS)}),
        events=pl.DataFrame(
            {
                "user_id": users,
                "item_id": items,
                "price": pl.Series(prices, dtype=pl.Float64),
                "timestamp": [datetime(2026, 1, 1, tzinfo=UTC)] * len(rows),
            },
            schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
        ),
        reviews=pl.DataFrame(
            {
                "review_id": [str(n) for n in number],
                "item_id": items,
                "text": items,
                "user_id": users,
            }
        ),
    )


OTHERS = {f"u{n}": [(TEXTS[n % 2], 10.0 + n)] for n in range(20)}
WITHOUT = shop(OTHERS)
ONE_ROW = shop({**OTHERS, "target": [(TEXTS[0], 20.0)]})
TWO_ALIKE = shop({**OTHERS, "target": [(TEXTS[0], 20.0)] * 2})
TWO_APART = shop({**OTHERS, "target": [(TEXTS[0], 20.0), (TEXTS[1], 20.0)]})

VOTES = NearestVotes(TEXTS, "text", SIGMA)
HISTOGRAM = UserHistogram(HistoryLength((1, 2, 3, 4, 5)), SIGMA, clip=1.0)
ALL = (
    NoisyCount(SIGMA),
    VOTES,
    DPQuantiles("price", (0.0, 10.0, 20.0, 40.0), (0.5,), SIGMA),
    DPVocabulary("item_id", SIGMA, 1e-9),
    HISTOGRAM,
)


def audit(
    mechanism: Mechanism,
    with_user: Dataset,
    trials: int,
    *,
    without_user: Dataset = WITHOUT,
    noise: NoiseSource | None = None,
    plant: Callable[[NoiseSource], NoiseSource] = lambda noise: noise,
    confidence: float = 0.99,
) -> MechanismAudit:
    """Audit a mechanism of one Gaussian call on two neighbours; ``plant`` wraps its noise."""
    noise = noise or SeededNoise(trials)
    asked = []
    for rows in (with_user, without_user):
        record = Asked()
        mechanism.answer(rows, plant(record))
        asked += record.calls
    (told, scale), (hidden, scale_without) = asked
    difference = (told - hidden).astype(np.float64)
    released = [
        noise.gaussian(np.tile(sums, (trials, 1)), of).astype(np.float64)
        for sums, of in ((told, scale), (hidden, scale_without))
    ]
    scores = joint_scores(released[0], released[1], difference)
    return audit_mu(*scores, 1 / mechanism.charge().noise_multiplier, confidence)


class Halved:
    """A source that adds half the noise that it is asked for."""

    def __init__(self, inner: NoiseSource) -> None:
        self.laplace, self.bernoulli, self.normal = inner.laplace, inner.bernoulli, inner.normal
        self._inner = inner

    def gaussian(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        return self._inner.gaussian(values, scale / 2)


@pytest.mark.planted_leak
@pytest.mark.parametrize("mechanism", ALL, ids=lambda mechanism: type(mechanism).__name__)
def test_leak_01_noise_halved(mechanism: Mechanism) -> None:
    assert audit(mechanism, ONE_ROW, 5_000).passed
    assert not audit(mechanism, ONE_ROW, 5_000, plant=Halved).passed


@pytest.mark.planted_leak
def test_leak_01_noise_halved_in_the_systems_own_noise() -> None:
    """The exact sampler itself; its draws cannot be repeated, so the verdict is made surer."""
    system, count = SystemNoise(), NoisyCount(SIGMA)
    assert audit(count, ONE_ROW, 10_000, noise=system, confidence=1 - 1e-6).passed
    caught = audit(count, ONE_ROW, 10_000, noise=system, plant=Halved, confidence=1 - 1e-6)
    assert not caught.passed


class Reused(SeededNoise):
    """A source that draws once and gives every answer the same noise."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._drawn: NDArray[np.int64] | None = None

    def gaussian(self, values: NDArray[np.int64], scale: float) -> NDArray[np.int64]:
        if self._drawn is None:
            self._drawn = super().gaussian(np.zeros_like(values), scale)
        return values + self._drawn


@pytest.mark.planted_leak
def test_leak_02_noise_reused() -> None:
    """Two answers of one purchase; the user is in one table only, so equal noise cancels."""
    asked = (NoisyCount(SIGMA), NoisyCount(SIGMA, table="reviews"))
    with_user = ONE_ROW.with_tables(reviews=WITHOUT.reviews)
    claimed = math.sqrt(sum(mechanism.charge().noise_multiplier ** -2 for mechanism in asked))

    def verdict(source: Callable[[int], NoiseSource]) -> MechanismAudit:
        released = []
        for world, rows in enumerate((with_user, WITHOUT)):
            sources = [source(2 * trial + world) for trial in range(500)]
            released.append(np.array([[m.answer(rows, one) for m in asked] for one in sources]))
        scores = joint_scores(released[0], released[1], np.array([1.0, 0.0]))
        return audit_mu(*scores, claimed)

    assert verdict(SeededNoise).passed
    assert not verdict(Reused).passed


@pytest.mark.planted_leak
def test_leak_03_no_mechanism_takes_a_seed() -> None:
    def seeds(mechanism: type[Any]) -> list[str]:
        names = [field.name for field in dataclasses.fields(mechanism)]
        return [name for name in names if "seed" in name or "random" in name or name == "noise"]

    @dataclasses.dataclass(frozen=True)
    class Seeded(NoisyCount):
        seed: int = 7

    assert len(MECHANISMS) >= len(ALL)
    assert [seeds(mechanism) for mechanism in MECHANISMS] == [[]] * len(MECHANISMS)
    assert seeds(Seeded) == ["seed"], "the planted one is seen"


@pytest.mark.planted_leak
def test_leak_04_sensitivity_of_rows_not_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vote a row: a user of two texts weighs 2 on one candidate, or √2 on two."""
    assert audit(VOTES, TWO_ALIKE, 5_000).passed
    assert audit(VOTES, TWO_APART, 20_000).passed
    monkeypatch.setattr(
        "shopsynth.privacy.mechanisms.nearest_votes.user_numbers", lambda ids: np.arange(len(ids))
    )
    assert not audit(VOTES, TWO_ALIKE, 5_000).passed
    assert not audit(VOTES, TWO_APART, 20_000).passed


class Uncapped(UserHistogram):
    """Noise for one purchase a user, and no bound on the purchases."""

    @property
    def deviation(self) -> float:
        return self.noise_multiplier


@pytest.mark.planted_leak
def test_leak_05_contributions_without_cap() -> None:
    five_rows = shop({**OTHERS, "target": [(TEXTS[0], 20.0)] * 5})
    prices = Amount("price", (0.0, 100.0))
    assert audit(UserHistogram(prices, SIGMA, clip=1.0), five_rows, 1_000).passed
    assert not audit(Uncapped(prices, SIGMA, clip=1e3), five_rows, 1_000).passed


@pytest.mark.planted_leak
def test_leak_06_one_user_under_two_keys() -> None:
    rows = {**OTHERS, "Ann@shop": [(TEXTS[0], 20.0)], "ａnn@SHOP ": [(TEXTS[0], 20.0)]}
    two_keys = shop(rows)
    assert two_keys.events is not None
    events = two_keys.events.with_columns(one_key_a_person(two_keys.events["user_id"]))
    assert audit(NoisyCount(SIGMA), two_keys.with_tables(events=events), 5_000).passed
    assert not audit(NoisyCount(SIGMA), two_keys, 5_000).passed


class Unlimited(DPVocabulary):
    """Tells every value that somebody holds."""

    @property
    def threshold(self) -> float:
        return -math.inf


def runs(
    ask: Callable[[Dataset, NoiseSource], float], with_user: Dataset, claimed: float
) -> MechanismAudit:
    """Audit any answer, post-processing and all, by whole runs."""
    scores = [
        np.array([ask(rows, SeededNoise(2 * trial + world)) for trial in range(300)])
        for world, rows in enumerate((with_user, WITHOUT))
    ]
    return audit_mu(scores[0], scores[1], claimed)


@pytest.mark.planted_leak
def test_leak_07_a_value_that_only_one_user_has() -> None:
    alone = shop({**OTHERS, "target": [("only mine", 20.0)]})

    def told(mechanism: DPVocabulary) -> MechanismAudit:
        return runs(
            lambda rows, noise: float("only mine" in mechanism.answer(rows, noise)["value"]),
            alone,
            1 / SIGMA,
        )

    assert told(DPVocabulary("item_id", SIGMA, 1e-9)).passed
    assert not told(Unlimited("item_id", SIGMA, 1e-9)).passed


class DataBins(DPQuantiles):
    """Bins between the least and the greatest number of the data."""

    def answer(self, rows: Dataset, noise: NoiseSource) -> NDArray[np.float64]:
        numbers = self._numbers(rows)["number"].to_numpy()
        edges = tuple(np.linspace(numbers.min(), numbers.max(), len(self.edges)))
        declared = DPQuantiles(self.column, edges, self.shares, self.noise_multiplier)
        return declared.answer(rows, noise)


@pytest.mark.planted_leak
def test_leak_08_bins_from_min_and_max() -> None:
    rich = shop({**OTHERS, "target": [(TEXTS[0], 9_999.0)]})
    parameters: tuple[Any, ...] = ("price", (0.0, 10.0, 20.0, 40.0), (0.99,), SIGMA)

    def verdict(mechanism: DPQuantiles) -> MechanismAudit:
        return runs(lambda rows, noise: mechanism.answer(rows, noise)[0], rich, 1 / SIGMA)

    assert verdict(DPQuantiles(*parameters)).passed
    assert not verdict(DataBins(*parameters)).passed


def given_gradient(predict: Predict, user: tuple[Tensor, ...]) -> Tensor:
    """A loss whose gradient is the user's own vector, at any weights."""
    return predict(user[0]).sum()


class Watching:
    """A source that notes a network's weights before every step."""

    def __init__(self, module: nn.Linear, inner: NoiseSource) -> None:
        self.gaussian, self.laplace, self.normal = inner.gaussian, inner.laplace, inner.normal
        self._module, self._inner = module, inner
        self._seen: list[NDArray] = []

    def bernoulli(self, n: int, rate: float) -> NDArray[np.bool_]:
        self._seen.append(self.weights())
        return self._inner.bernoulli(n, rate)

    def weights(self) -> NDArray:
        return self._module.weight.detach().numpy().astype(np.float64).ravel().copy()

    def steps(self) -> NDArray:
        """What each step added to the weights, ``(steps, n_weights)``."""
        return np.diff(np.array([*self._seen, self.weights()]), axis=0)


def steps_taken(
    gradients: NDArray, plan: Schedule, noise: NoiseSource, loss: Loss = given_gradient
) -> NDArray:
    module = nn.Linear(gradients.shape[1], 1, bias=False)
    watching = Watching(module, noise)
    users = torch.from_numpy(gradients.astype(np.float32))
    train_private(module, loss, (users,), plan, watching)
    return watching.steps()


@pytest.mark.planted_leak
def test_leak_09_divisor_from_the_data() -> None:
    """Everybody is drawn and pulls one way, the target the other; every step is a trial."""
    others = np.ones((20, 1))
    both = (np.concatenate([others, -np.ones((1, 1))]), others)
    plan = Schedule(1.0, 1.0, 400, 1.0, 20, 1.0, optimizer="sgd")

    def verdict(divisor: Callable[[NDArray], int]) -> MechanismAudit:
        released = [
            steps_taken(
                users, dataclasses.replace(plan, users_bound=divisor(users)), SeededNoise(n)
            )
            for n, users in enumerate(both)
        ]
        return audit_mu(released[0][:, 0], released[1][:, 0], 1 / plan.noise_multiplier)

    assert verdict(lambda users: 20).passed
    assert not verdict(len).passed


class Shuffled(NoNoise):
    """Goes through all users in equal batches, epoch by epoch, as data loaders do."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._waiting: list[NDArray] = []

    def bernoulli(self, n: int, rate: float) -> NDArray[np.bool_]:
        if not self._waiting:
            self._waiting = np.array_split(self._random.permutation(n), round(1 / rate))
        return np.isin(np.arange(n), self._waiting.pop())


class Independent(NoNoise):
    def __init__(self, seed: int) -> None:
        self.bernoulli = SeededNoise(seed).bernoulli  # type: ignore[method-assign]


@pytest.mark.planted_leak
def test_leak_10_shuffling_is_not_poisson_sampling() -> None:
    """Every user's gradient has its own weight, so the steps show who took part."""
    plan = Schedule(1.0, 1.0, 60, 0.1, 100, 1.0, optimizer="sgd")

    def verdict(noise: NoiseSource) -> bool:
        drawn = steps_taken(np.eye(100), plan, noise) < -0.5 / plan.divisor
        assert 300 < drawn.sum() < 900, "six thousand chances of one in ten"
        return audit_poisson(drawn, plan.sampling_rate).passed

    assert all(verdict(Independent(seed)) for seed in range(3))
    assert verdict(SystemDraws())
    assert not verdict(Shuffled(1))


class SystemDraws(NoNoise):
    """No noise, but the system's own draws of users."""

    def bernoulli(self, n: int, rate: float) -> NDArray[np.bool_]:
        return SystemNoise().bernoulli(n, rate)
