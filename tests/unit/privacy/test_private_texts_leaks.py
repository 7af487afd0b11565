"""Canary texts planted among people's reviews: what copies them is caught, what pays does not.

A canary is a row of words in an order of its own, written by one person over and over; a coin says
whether it was there at all. Whoever remembers it finds it more likely than its twins that nobody
wrote.
"""

import copy
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from fakes.noise import NoNoise, SeededNoise
from fakes.planted_reviews import COLOURS, ITEMS, PLACES, THINGS, planted_reviews
from fakes.tills import purse_of
from shopsynth.evaluate.attacks.canaries import canary_epsilon
from shopsynth.evaluate.attacks.people import Sides
from shopsynth.evaluate.attacks.texts import copied_texts, extracted
from shopsynth.generate import make_synthesizer
from shopsynth.privacy import PrivateView
from shopsynth.privacy.accounting import compose
from shopsynth.privacy.mechanisms import PrivateTexts, private_texts
from shopsynth.privacy.mechanisms.dp_sgd import Schedule
from shopsynth.privacy.noise import NoiseSource
from shopsynth.schema import Dataset

pytest.importorskip("tokenizers")
torch = pytest.importorskip("torch")

from shopsynth.generate.language.network import TextNetwork  # noqa: E402 - needs torch
from shopsynth.generate.language.tokenizer import ShopTokenizer  # noqa: E402 - needs tokenizers

WORDS = (*COLOURS, *THINGS, *PLACES)
N_CANARIES, N_WORDS, DELTA = 60, 14, 1e-6
REPEATED = (1, 4, 16)


def canaries() -> pl.Series:
    random = np.random.Generator(np.random.PCG64(3))
    drawn = random.integers(len(WORDS), size=(N_CANARIES, N_WORDS))
    return pl.Series("text", [" ".join(WORDS[word] for word in row) for row in drawn])


CANARIES = canaries()
THERE = np.random.Generator(np.random.PCG64(4)).random(N_CANARIES) < 0.5


def written(texts: pl.Series, *, named: bool = True, times: int | None = None) -> pl.DataFrame:
    """Reviews of one person a text, who wrote it once, four or sixteen times."""
    rows = [
        (f"c{place:02d}-{time:02d}", "i0", f"canary {place:02d}" if named else None, text, 1.0)
        for place, text in enumerate(texts)
        for time in range(times or REPEATED[place % len(REPEATED)])
    ]
    names = ["review_id", "item_id", "user_id", "text", "rating"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names[:4], pl.String) | {"rating": pl.Float64},
                        orient="row")  # fmt: skip


def shop(planted: pl.DataFrame) -> Dataset:
    real = planted_reviews(60).select(planted.columns)
    return Dataset(items=ITEMS, reviews=pl.concat([real, planted]))


def asked(schedule: Schedule) -> PrivateTexts:
    torch.manual_seed(1)
    tokenizer = ShopTokenizer.train(pl.Series([" ".join(WORDS)] * 9), vocabulary=290, specials=[])
    network = TextNetwork(tokenizer.n_tokens, dim=32, layers=1, heads=2, dropout=0.0, causal=True)
    return PrivateTexts(
        network,
        schedule,
        pieces=tokenizer.pieces_json(),
        first_piece=tokenizer.n_specials,
        columns=(),
        length=24,
        texts=2,
    )


def schedule(**changes: Any) -> Schedule:
    plan: dict[str, Any] = {
        "noise_multiplier": 35.0, "clip": 1.0, "steps": 60, "sampling_rate": 1.0,
        "users_bound": 70, "learning_rate": 0.02,
    }  # fmt: skip
    return Schedule(**(plan | changes))


def weights_after(plan: PrivateTexts, data: Dataset, noise: NoiseSource) -> NDArray[np.float64]:
    weights = plan.answer(data, noise)
    return np.concatenate([weights[name].ravel() for name, _ in plan.module.named_parameters()])


def remembered(plan: PrivateTexts, noise: NoiseSource) -> NDArray[np.float64]:
    """How much likelier each canary is after the training, in nats."""
    network = copy.deepcopy(plan.module)
    weights = plan.answer(shop(written(CANARIES.filter(pl.Series(THERE)))), noise)
    network.load_state_dict({name: torch.from_numpy(part) for name, part in weights.items()})
    alone = Dataset(items=ITEMS, reviews=written(CANARIES, times=1))
    tokens = torch.from_numpy(plan.encode(alone))[:, 0]
    return likelihood(network, tokens) - likelihood(plan.module, tokens)


def likelihood(network: Any, tokens: Any) -> NDArray[np.float64]:
    with torch.no_grad():
        logits = network(tokens[:, :-1]).log_softmax(-1)
    told = logits.gather(-1, tokens[:, 1:, None]).squeeze(-1) * (tokens[:, 1:] != 0)
    return np.asarray(told.sum(1).numpy(), dtype=np.float64)


def bound(scores: NDArray[np.float64]) -> float:
    return canary_epsilon(scores[THERE], scores[~THERE], DELTA).epsilon


@pytest.mark.planted_leak
def test_noise_left_out_is_heard_and_what_is_paid_for_is_not() -> None:
    plan = asked(schedule())
    claimed = compose([plan.charge()]).epsilon(DELTA)
    assert 0.5 < claimed < 1.2
    assert bound(remembered(plan, NoNoise())) > claimed
    for seed in range(2):
        assert bound(remembered(plan, SeededNoise(seed))) <= claimed


@pytest.mark.planted_leak
def test_sixteen_reviews_of_a_person_move_no_more_than_one_person_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = asked(schedule(steps=1, optimizer="sgd", learning_rate=1.0))

    def moved(planted: pl.DataFrame) -> float:
        told = weights_after(plan, shop(planted), NoNoise())
        hidden = weights_after(plan, shop(planted.clear()), NoNoise())
        return float(np.linalg.norm(told - hidden)) * plan.schedule.divisor

    one = CANARIES.head(1)
    assert 0.5 < moved(written(one, times=1)) < 1 + 1e-3
    assert 0.5 < moved(written(one, times=16)) < 1 + 1e-3
    # Without a name nobody can say whose they are: what is protected is then a review.
    assert moved(written(one, named=False, times=16)) > 4
    # Told as other people, they are: what the cap on a person's texts is for.
    newest = private_texts._newest
    monkeypatch.setattr(private_texts, "_newest", lambda rows, texts: newest(unnamed(rows), texts))
    assert moved(written(one, times=16)) > 4


def unnamed(rows: Dataset) -> Dataset:
    reviews = rows.need("reviews").with_columns(user_id=pl.lit(None, pl.String))
    return rows.with_tables(reviews=reviews)


@pytest.mark.planted_leak
def test_a_writer_that_copies_is_caught_and_a_private_one_is_not() -> None:
    planted = CANARIES.filter(pl.Series(THERE))
    data = shop(written(planted))
    apart = pl.DataFrame({"text": CANARIES.filter(~pl.Series(THERE))})
    reviews = data.need("reviews")
    copied = reviews.sample(120, seed=1).select("text")
    sides = Sides(reviews.select("text"), apart, copied)
    assert extracted(planted, copied["text"]) > 10
    found = copied_texts(sides)
    assert found.train > 0
    assert found.heldout == 0
    # Half a canary in other words is none; thirteen words of one in a row are.
    part = pl.Series([" ".join(one.split()[:13]) + " and so on" for one in planted])
    assert extracted(planted, part) == planted.len()

    view = PrivateView(
        data,
        mode="dp",
        fingerprint="f" * 64,
        max_events_per_user=16,
        users_bound=30 + N_CANARIES,
        purse=purse_of(1.0, SeededNoise(1)),
    )
    options: dict[str, Any] = {
        "dim": 32, "heads": 2, "layers": 1, "vocabulary": 300, "length": 24,
        "training_steps": 60, "training_users": 90, "training_rate": 0.02,
    }  # fmt: skip
    method: Any = make_synthesizer("text_lm", options).fit(view, seed=1)
    made = method.sample(150, seed=1).data.need("reviews")
    assert made["text"].n_unique() > 100
    assert extracted(planted, made["text"]) == 0
