"""sequence_gan: planted places are reached; divergence and lost kinds are refused, not returned."""

from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from scipy.spatial.distance import cdist

from fakes.kinds import START, two_kinds
from fakes.listening import RecordingProgress
from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.generate.latent.contest import _Contest, fit_gan
from shopsynth.generate.latent.judge import Judge
from shopsynth.generate.latent.places import Places
from shopsynth.generate.sequences.latent_options import SequenceGanOptions
from shopsynth.generate.sequences.training import Training
from shopsynth.schema import SILENT, InputError, RecipeError

QUICK: dict[str, Any] = {
    "hidden": 64,
    "judged_every": 25,
    "generator_rate": 0.005,
    "critic_rate": 0.01,
}
SMALL = {"dim": 16, "layers": 1, "latent": 4, "max_epochs": 2, "batch_events": 256}


def random(seed=1):
    return np.random.Generator(np.random.PCG64(seed))


def people(n, seed):
    """People in two places far apart, of a third and two thirds, all a little unsure."""
    draw = random(seed)
    centre = np.where(draw.random((n, 1)) < 1 / 3, [[-3.0, 0.0]], [[2.0, 4.0]])
    mean = (centre + 0.3 * draw.standard_normal((n, 2))).astype(np.float32)
    return Places(mean, np.full_like(mean, 0.2))


def fit_history_gan(people, held_out, settings, **others):
    return fit_gan("sequence_gan", people, held_out, settings, instead="sequence_vae", **others)


def gan(seed=1, **options) -> Any:
    settings = SequenceGanOptions.model_validate(QUICK | {"max_steps": 300} | options)
    return fit_gan(
        "sequence_gan",
        people(800, 1),
        people(200, 2),
        settings,
        instead="sequence_vae",
        seed=seed,
        progress=SILENT,
    )


SLOWER = {"stabiliser": "gradient_penalty", "generator_rate": 0.002, "critic_rate": 0.004}


@pytest.mark.parametrize("options", [{"max_steps": 200}, SLOWER | {"max_steps": 400}])
def test_both_planted_places_are_reached_in_their_shares(options):
    learned = gan(**options)
    made = learned.draw(2000, random(3))
    left = cdist(made, [[-3.0, 0.0]])[:, 0] < 2.5
    right = cdist(made, [[2.0, 4.0]])[:, 0] < 2.5
    assert (left | right).mean() > 0.8
    assert left.mean() == pytest.approx(1 / 3, abs=0.12)
    told = learned.distances
    assert told.reached < 0.1 * told.untrained
    assert told.real < told.untrained
    assert told.kept > 0.6


def test_the_same_seed_learns_and_draws_the_same():
    first, again, other = (gan(seed=seed, max_steps=50) for seed in (1, 1, 2))
    drawn = [one.draw(20, random()) for one in (first, again, other)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


@pytest.mark.parametrize("stabiliser", ["gradient_penalty", "spectral_norm"])
def test_training_that_diverges_is_refused(stabiliser):
    with pytest.raises(InputError, match="training diverges; lower generator_rate"):
        gan(stabiliser=stabiliser, generator_rate=1e3)


def crowd(n, seed, latent=16):
    """People of two kinds that one number of many tells apart; all have mean 0 and spread 1."""
    draw = random(seed)
    mean = 0.7 * draw.standard_normal((n, latent))
    mean[:, 0] = 0.4 * draw.standard_normal(n) + np.where(draw.random(n) < 0.5, -0.82, 0.82)
    deviation = np.full(mean.shape, 0.7, dtype=np.float32)
    deviation[:, 0] = 0.4
    return Places(mean.astype(np.float32), deviation)


def test_a_generator_that_learns_nothing_is_refused():
    with pytest.raises(InputError, match="as near to held-out rows as one normal"):
        gan(generator_rate=1e-12, max_steps=20, judged_every=10)


def test_a_generator_farther_than_one_normal_distribution_is_refused():
    """Fifty times the rate: it neither diverges nor stays, and no kind is lost."""
    options = {"generator_rate": 0.05, "critic_rate": 0.1, "max_steps": 150}
    settings = SequenceGanOptions.model_validate(QUICK | options)
    with pytest.raises(InputError, match="lower generator_rate and critic_rate, or choose"):
        fit_gan(
            "sequence_gan",
            crowd(800, 1),
            crowd(200, 2),
            settings,
            instead="sequence_vae",
            seed=1,
            progress=SILENT,
        )


def contest_of(make, **options):
    """Let a contest over people run for a little."""
    judge = Judge(make(800, 1), make(200, 2), random())
    settings = SequenceGanOptions.model_validate(QUICK | {"max_steps": 50} | options)
    contest = _Contest("sequence_gan", make(800, 1), judge, settings, "sequence_vae")
    contest.run(SILENT)
    return contest


@pytest.mark.parametrize("halves", [1, 2])
def test_half_of_the_people_are_missed_where_kinds_overlap_too(halves):
    """Perfect people but for the sign of one number; both halves together pass."""

    class Perfect(torch.nn.Module):
        def forward(self, noise):
            side = torch.full((len(noise), 1), 0.82)
            if halves == 2:
                side[::2] *= -1
            return torch.cat([0.57 * noise[:, :1] + side, noise[:, 1:]], dim=1)

    contest: Any = contest_of(crowd)
    judge = contest._judge
    contest.best, contest._reached = Perfect(), judge.distance(Perfect()(judge.noise))
    if halves == 2:
        assert contest.distances().reached < 1.5 * contest.distances().normal
    else:
        with pytest.raises(InputError, match="as near to held-out rows as one normal"):
            contest.distances()


def test_a_single_person_is_learned_where_they_lie():
    one = Places(np.full((1, 3), 0.4, dtype=np.float32), np.full((1, 3), 0.2, dtype=np.float32))
    settings = SequenceGanOptions.model_validate(QUICK | {"max_steps": 200})
    learned = fit_history_gan(one, one, settings, seed=1, progress=SILENT)
    made = learned.draw(1000, random())
    assert learned.distances.untrained < 5
    assert made.mean(axis=0) == pytest.approx(0.4, abs=0.1)
    assert made.std(axis=0) == pytest.approx(0.2, abs=0.1)


def test_a_generator_that_knows_one_kind_is_refused():
    """All its points lie in the greater of the two places, close together."""
    contest: Any = contest_of(people, max_steps=200)
    last = contest.best[-1]
    with torch.no_grad():
        last.weight.mul_(0.0)
        last.bias.copy_(torch.tensor([2.0, 4.0]))
    with pytest.raises(InputError, match="too few kinds"):
        contest.distances()


def test_training_stops_when_it_comes_no_nearer():
    heard = RecordingProgress()
    settings = SequenceGanOptions.model_validate(
        QUICK | {"max_steps": 5000, "judged_every": 20, "gan_patience": 2}
    )
    learned = fit_gan(
        "sequence_gan",
        people(800, 1),
        people(200, 2),
        settings,
        instead="sequence_vae",
        seed=1,
        progress=heard,
    )
    assert learned.n_steps < 5000
    assert heard.steps == heard.started[0][1] == 250


def test_the_distance_is_that_of_its_definition():
    judge = Judge(people(50, 1), people(30, 2), random())
    made = random(5).standard_normal((40, 2)).astype(np.float32)
    points = judge._points.numpy()
    expected = 2 * cdist(points, made).mean() - cdist(made, made).mean()
    expected -= cdist(points, points).mean()
    assert judge.distance(torch.from_numpy(made)) == pytest.approx(expected, abs=1e-4)
    assert judge.distance(judge._points) == pytest.approx(0, abs=1e-4)
    assert judge.kept(judge._points) == 1.0


@pytest.fixture(scope="module")
def fitted():
    options = SMALL | QUICK | {"max_steps": 200}
    return make_synthesizer("sequence_gan", options).fit(two_kinds(120), seed=1)


class TestWholeMethod:
    def test_histories_of_new_people_come_out(self, fitted):
        events = fitted.sample(100, seed=3).data.need("events")
        assert events["user_id"].n_unique() == 100
        assert events["user_id"].str.starts_with("synthetic-sequence_gan-").all()
        assert events.equals(fitted.sample(100, seed=3).data.need("events"))
        assert not events.equals(fitted.sample(100, seed=4).data.need("events"))

    def test_what_was_learned_is_told(self, fitted):
        assert fitted.steps_ <= 200
        assert 0 <= fitted.distances_.reached < fitted.distances_.untrained
        assert np.isfinite([fitted.loss_, fitted.gain_]).all()
        assert fitted.collapsed_ in (True, False)

    def test_a_beginning_goes_on(self, fitted):
        begun = pl.DataFrame({"user_id": ["x"], "item_id": ["a03"], "timestamp": [START]})
        asked = Conditions(start=begun)
        events = fitted.sample(5, seed=1, conditions=asked).data.ordered_events()
        first = events.group_by("user_id", maintain_order=True).first()
        assert first["item_id"].to_list() == ["a03"] * 5


TRAINED = SMALL | QUICK | {
    "learning_rate": 0.02, "weight_decay": 0.01, "dropout": 0.1, "kl_weight": 0.05,
    "kl_warm_up": 40, "max_epochs": 20, "patience": 20, "held_out": 0.2, "max_steps": 400,
}  # fmt: skip


def pure(events):
    """Share of the histories whose items are all of one kind."""
    kinds = pl.col("item_id").str.slice(0, 1).n_unique()
    return (events.group_by("user_id").agg(kinds)["item_id"] == 1).mean()


def test_histories_stay_in_kind_which_no_counts_of_items_can_know():
    learned: Any = make_synthesizer("sequence_gan", TRAINED).fit(two_kinds(), seed=1)
    events = learned.sample(300, seed=3).data.need("events")
    assert pure(events) > 0.97
    assert events["item_id"].str.starts_with("a").mean() == pytest.approx(0.5, abs=0.15)
    counts_alone = events.with_columns(pl.col("item_id").shuffle(seed=1))
    assert pure(counts_alone) < 0.1
    assert learned.gain_ > 0.1  # Who does not know the kind loses .12 nats an event.
    assert not learned.collapsed_


def test_a_refused_adversary_tries_again_without_another_vae(tmp_path, monkeypatch):
    kept = SMALL | QUICK | {"checkpoint_folder": str(tmp_path)}
    with pytest.raises(InputError, match="sequence_gan"):
        make_synthesizer("sequence_gan", kept | {"max_steps": 1}).fit(two_kinds(60), seed=1)
    monkeypatch.setattr(Training, "_step", lambda *_: pytest.fail("The VAE is trained again."))
    again: Any = make_synthesizer("sequence_gan", kept | {"max_steps": 300}).fit(
        two_kinds(60), seed=1
    )
    assert again.steps_ > 1


def test_odd_options_are_refused():
    odd: dict[str, object] = {"stabiliser": "hope", "generator_rate": 0, "drawn_from": "people"}
    for name, value in odd.items():
        with pytest.raises(RecipeError, match=name):
            make_synthesizer("sequence_gan", {name: value})
