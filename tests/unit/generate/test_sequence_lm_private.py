"""sequence_lm in mode dp: pays twice within its budget, sees no row, knows more than its chain."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from fakes.listening import RecordingProgress
from fakes.noise import NoNoise, SeededNoise
from fakes.tills import purse_of
from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.generate.sequence_lm import SequenceLm
from shopsynth.generate.sequences.private_network import PrivateNetwork
from shopsynth.generate.sequences.private_steps import _chosen
from shopsynth.privacy import PrivateView
from shopsynth.privacy.accounting import compose
from shopsynth.privacy.mechanisms import dp_sgd
from shopsynth.privacy.mechanisms.private_training import next_token_loss
from shopsynth.schema import Dataset, InputError, PrivacyError, RecipeError

SHORT: dict[str, object] = {"training_steps": 4, "context": 8}
SIDES, SQUARE, EACH = ("north", "south"), "square", 4
PLACES = [*(f"{side} {n}" for side in SIDES for n in range(2)), SQUARE]
ITEMS = pl.DataFrame(
    {
        "item_id": [f"i{n:02d}" for n in range(len(PLACES) * EACH)],
        "category": [place for place in PLACES for _ in range(EACH)],
    }
)
PLACE_OF = dict(ITEMS.rows())


def town(n_users=300, seed=1, strangers=()):
    """People go from their side's places to the square and back, and never to the other side.

    What follows the square no chain of order one can tell: both sides are as likely.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    rows = []
    for user in range(n_users):
        for step in range(6 + user % 3):
            place = SQUARE if step % 2 else f"{SIDES[user % 2]} {random.integers(2)}"
            item = PLACES.index(place) * EACH + random.integers(EACH)
            rows.append((f"u{user:03d}", f"i{item:02d}", step))
    rows += [(f"s{n}", item, 0) for n, item in enumerate(strangers)]
    events = pl.DataFrame(rows, schema=["user_id", "item_id", "position"], orient="row")
    return Dataset(items=ITEMS, events=events)


def view_of(data, epsilon=8.0, noise=None, users=300):
    return PrivateView(
        data,
        mode="dp",
        fingerprint="f" * 64,
        max_events_per_user=16,
        users_bound=users,
        purse=purse_of(epsilon, noise or NoNoise()),
    )


def fit(view, seed=0, **options) -> Any:
    return make_synthesizer("sequence_lm", SHORT | options).fit(view, seed=seed)


def stays(data):
    """Say how many steps from the square go back to the side that somebody began on."""
    kept = []
    events = data.ordered_events().group_by("user_id", maintain_order=True).agg("item_id")
    for items in events["item_id"].to_list():
        walk = [PLACE_OF[item].split()[0] for item in items]
        kept += [walk[n] == walk[0] for n in range(2, len(walk), 2) if walk[n - 1] == SQUARE]
    assert len(kept) > 500
    return np.mean(kept)


def test_people_stay_on_their_side_which_a_chain_cannot_know():
    learned = fit(
        view_of(town(200), 1e4, SeededNoise(1)),
        training_steps=40,
        training_rate=0.05,
        training_clip=5.0,
    )
    walks = learned.sample(500, seed=1).data
    assert stays(walks) > 0.95
    chain = make_synthesizer("markov", {}).fit(view_of(town(), 1e4), seed=0)
    assert stays(chain.sample(500, seed=1).data) < 0.6
    places = walks.need("events")["item_id"].replace_strict(PLACE_OF)
    assert (places == SQUARE).mean() == pytest.approx(10 / 21, abs=0.02)


def test_without_training_to_speak_of_it_is_its_chain():
    walks = fit(view_of(town()), training_rate=1e-9).sample(500, seed=1).data
    assert stays(walks) < 0.6
    lengths = walks.need("events").group_by("user_id").len()["len"]
    assert lengths.is_between(6, 8).mean() > 0.98


@pytest.mark.parametrize("epsilon", [0.5, 3.0])
def test_it_pays_for_counts_and_for_training_and_never_again(epsilon):
    view, heard = view_of(town(40), epsilon, SeededNoise(1)), RecordingProgress()
    learned = make_synthesizer("sequence_lm", SHORT).fit(view, seed=0, progress=heard)
    till = view._purse.till
    assert heard.steps == 2
    assert (till.reserved, till.committed) == (2, 2)
    *counts, steps = till.charges
    assert {charge.kind for charge in counts} == {"gaussian"}
    assert steps.kind == "poisson_gaussian"
    assert isinstance(learned, SequenceLm)
    assert steps.count == learned.steps_ == 4
    part = compose(counts).gaussian_mu ** 2 / view.allowance**2
    assert part == pytest.approx(0.6, abs=1e-3)
    assert 0.95 * epsilon < compose(till.charges).epsilon(1e-6) <= epsilon
    for seed in (1, 2):
        learned.sample(20, seed=seed)
    assert till.reserved == 2


def test_a_spent_budget_trains_nothing():
    view = view_of(town(20), 1.0, SeededNoise(1))
    fit(view)
    with pytest.raises(PrivacyError, match="expected answers that cost mu"):
        fit(view)


def test_the_seed_moves_first_weights_and_samples_and_no_noise(monkeypatch):
    drawn = []
    train = dp_sgd.train_private

    def watched(module, loss, users, schedule, noise):
        drawn.append((noise, module.own.weight.clone()))
        train(module, loss, users, schedule, noise)

    monkeypatch.setattr("shopsynth.privacy.mechanisms.private_training.train_private", watched)
    noises = [SeededNoise(5), SeededNoise(5), SeededNoise(6)]
    learned = [
        fit(view_of(town(40), 1.0, noise), seed=seed)
        for noise, seed in zip(noises, (1, 2, 1), strict=True)
    ]
    assert [noise for noise, _ in drawn] == noises
    assert not torch.equal(drawn[0][1], drawn[1][1])
    assert torch.equal(drawn[0][1], drawn[2][1])
    rows = [one.sample(40, seed=3).data.need("events") for one in learned]
    again = learned[0].sample(40, seed=3).data.need("events")
    assert rows[0].equals(again)
    assert not rows[0].equals(rows[1])
    assert not rows[0].equals(rows[2])


@pytest.mark.parametrize("seed", range(3))
def test_noise_alone_still_makes_whole_rows(seed):
    learned = fit(view_of(town(1), 0.01, SeededNoise(seed)))
    events = learned.sample(80, seed=1).data.need("events")
    assert events["user_id"].n_unique() == 80
    assert events["item_id"].is_in(ITEMS["item_id"].implode()).all()
    assert sum(events.null_count().row(0)) == 0


def test_a_bound_on_users_and_a_period_have_to_be_declared():
    with pytest.raises(PrivacyError, match="set users under"):
        fit(view_of(town(5), users=None))
    data = town(5)
    day = pl.datetime(2024, 1, 1, time_zone="UTC") + pl.duration(days="position")
    timed = Dataset(items=ITEMS, events=data.need("events").with_columns(timestamp=day))
    with pytest.raises(RecipeError, match=r"sequence_lm\.options: expected period_start"):
        fit(view_of(timed))
    start = datetime(2024, 1, 1, tzinfo=UTC)
    period = {"period_start": start, "period_end": start + timedelta(days=30)}
    times = fit(view_of(timed), **period).sample(20, seed=1).data.need("events")["timestamp"]
    assert times.is_between(*period.values()).all()


def test_options_of_another_mode_are_refused(make_view):
    with pytest.raises(RecipeError, match="none of dim, patience in privacy mode dp"):
        fit(view_of(town(5)), dim=8, patience=2)
    with pytest.raises(RecipeError, match="none of clip, training_share in privacy mode public"):
        make_synthesizer("sequence_lm", {"clip": 2.0, "training_share": 0.2}).fit(
            make_view({"u": ["a", "b"]}), seed=0
        )


def test_conditions_are_refused_by_what_was_learned_in_mode_dp():
    with pytest.raises(InputError, match="got item_ids"):
        fit(view_of(town(20))).sample(5, seed=1, conditions=Conditions(item_ids=("i00",)))


@pytest.mark.planted_leak
def test_leak_07_an_item_only_one_user_has_asks_and_tells_no_more():
    def domain(data):
        view = view_of(data, 1.0, SeededNoise(1))
        network = fit(view)._private.steps.network
        told = [(name, part.shape) for name, part in network.state_dict().items()]
        charges = [(c.mechanism, sorted(c.detail.items())) for c in view._purse.till.charges]
        return charges, told, network.content.tolist()

    assert domain(town(30)) == domain(town(30, strangers=["only-one-user-has-it"]))


def network_of(seed=0):
    random = np.random.Generator(np.random.PCG64(seed))
    torch.manual_seed(seed)
    chain, content = random.normal(size=(11, 11)), random.normal(size=(7, 3))
    made = PrivateNetwork(chain.astype(np.float32), content.astype(np.float32), dim=8, layers=1)
    with torch.no_grad():
        for part in made.parameters():
            part.normal_(std=0.3)
    return made, torch.from_numpy(random.integers(0, 11, (40, 1, 9)))


def test_the_newest_scores_are_those_of_the_whole_and_later_tokens_do_not_matter():
    network, tokens = network_of()
    whole = network(tokens[:, 0])
    torch.testing.assert_close(network.newest(tokens[:, 0]), whole[:, -1])
    torch.testing.assert_close(network.newest(tokens[:, 0, :5]), whole[:, 4])


def test_no_gradient_depends_on_who_else_is_in_the_microbatch():
    network, tokens = network_of()
    alone = [dp_sgd.user_gradients(network, next_token_loss, (user[None],)) for user in tokens]
    together = dp_sgd.user_gradients(network, next_token_loss, (tokens,))
    assert torch.equal(torch.cat(alone), together)
    assert (together.norm(dim=1) > 0).all()


def test_groups_are_drawn_as_their_weights_say_and_empty_ones_never():
    weights = np.tile([0.0, 1.0, 0.0, 3.0, 0.0], (4, 1))
    uniforms = np.array([0.0, 0.2499, 0.25, 1 - 1e-17])
    assert _chosen(weights, uniforms).tolist() == [1, 1, 3, 3]
