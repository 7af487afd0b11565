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
from shopsynth.generate.sequences.latent_fitting import People
from shopsynth.generate.sequences.latent_gan import _Contest, fit_gan
from shopsynth.generate.sequences.latent_judge import Judge
from shopsynth.generate.sequences.latent_options import SequenceGanOptions
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
    return People(mean, np.full_like(mean, 0.2))


def gan(seed=1, **options) -> Any:
    settings = SequenceGanOptions.model_validate(QUICK | {"max_steps": 300} | options)
    return fit_gan(people(800, 1), people(200, 2), settings, seed=seed, progress=SILENT)


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


def test_a_generator_that_learns_nothing_is_refused():
    with pytest.raises(InputError, match="nearer to held-out people than an untrained one"):
        gan(generator_rate=1e-12, max_steps=20, judged_every=10)


def test_a_generator_that_knows_one_kind_is_refused():
    """All its points lie in the greater of the two places, close together."""
    judge = Judge(people(800, 1), people(200, 2), random())
    settings = SequenceGanOptions.model_validate(QUICK | {"max_steps": 50})
    contest = _Contest(people(800, 1), judge, settings)
    contest.run(SILENT)
    last: Any = contest.best[-1]
    with torch.no_grad():
        last.weight.mul_(0.0)
        last.bias.copy_(torch.tensor([2.0, 4.0]))
    with pytest.raises(InputError, match="few kinds"):
        contest.distances()


def test_training_stops_when_it_comes_no_nearer():
    heard = RecordingProgress()
    settings = SequenceGanOptions.model_validate(
        QUICK | {"max_steps": 5000, "judged_every": 20, "gan_patience": 2}
    )
    learned = fit_gan(people(800, 1), people(200, 2), settings, seed=1, progress=heard)
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


def test_odd_options_are_refused():
    odd: dict[str, object] = {"stabiliser": "hope", "generator_rate": 0, "drawn_from": "people"}
    for name, value in odd.items():
        with pytest.raises(RecipeError, match=name):
            make_synthesizer("sequence_gan", {name: value})
