"""sequence_vae: z tells planted kinds of people apart, steers what they do; its loss is told."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from fakes.kinds import START, two_kinds
from fakes.listening import RecordingProgress
from shopsynth.generate import Conditions, make_synthesizer
from shopsynth.generate._histories import read_histories
from shopsynth.generate.latent.posterior import Easing, Posterior
from shopsynth.generate.sequences.conditions import make_plan
from shopsynth.generate.sequences.plan import Given
from shopsynth.generate.sequences.streaming import stream_histories
from shopsynth.privacy import PrivateView
from shopsynth.schema import SILENT, Dataset, InputError, MissingExtraError, RecipeError

SMALL = {"dim": 16, "layers": 1, "latent": 4, "max_epochs": 2, "batch_events": 256}
TRAINED = {
    "learning_rate": 0.02, "weight_decay": 0.01, "dropout": 0.1, "kl_weight": 0.05,
    "kl_warm_up": 40, "max_epochs": 20, "patience": 20, "held_out": 0.2,
}  # fmt: skip


def fit(view, seed=1, progress=SILENT, **options) -> Any:
    return make_synthesizer("sequence_vae", SMALL | options).fit(view, seed=seed, progress=progress)


def random(seed=1):
    return np.random.Generator(np.random.PCG64(seed))


def kinds_of(events):
    """Return each user's first kind, and whether all their items are of it."""
    kind = pl.col("item_id").str.slice(0, 1)
    by_user = events.group_by("user_id", maintain_order=True)
    return by_user.agg(kind.first().alias("first"), (kind.n_unique() == 1).alias("pure"))


@pytest.fixture(scope="module")
def view():
    return two_kinds()


@pytest.fixture(scope="module")
def trained(view):
    return fit(view, **TRAINED)


@pytest.fixture(scope="module")
def people(view, trained):
    """The z of all people, and whether they are of kind a."""
    _, histories = read_histories(view, "sequence_vae")
    learned = trained._model.vae.learned
    given = Given.of(learned.tokens.encode(histories), histories.time)
    users = view.events()["user_id"].unique(maintain_order=True)
    return trained._model.vae.who(given, random()), users.str.starts_with("a").to_numpy()


class TestTwoKindsOfPeople:
    def test_histories_stay_in_kind_and_both_kinds_come(self, trained):
        kinds = kinds_of(trained.sample(300, seed=3).data.need("events"))
        assert kinds["pure"].mean() > 0.97
        assert (kinds["first"] == "a").mean() == pytest.approx(0.5, abs=0.12)

    def test_z_tells_the_kinds_apart(self, people):
        z, is_a = people
        axis = z[is_a].mean(axis=0) - z[~is_a].mean(axis=0)
        middle = (z[is_a].mean(axis=0) + z[~is_a].mean(axis=0)) / 2
        assert np.mean(((z - middle) @ axis > 0) == is_a) > 0.95

    def test_z_decides_the_kind_from_the_first_event_on(self, trained, people):
        z, is_a = people
        source = trained._model.source
        plan = make_plan(100, None, source.shop, random())
        for wanted, chosen in (("a", z[is_a]), ("b", z[~is_a])):
            asked = replace(plan, latent=chosen[:100])
            made = stream_histories(source, asked, seed=1, random=random(), progress=SILENT)
            kinds = kinds_of(next(made).data.need("events"))
            assert (kinds["first"] == wanted).mean() > 0.9

    def test_what_z_says_is_told(self, trained):
        assert not trained.collapsed_
        assert trained.active_ >= 1
        assert trained.gain_ > 0.1  # Who does not know the kind loses .12 nats an event.

    def test_a_beginning_says_who_somebody_is(self, trained):
        begun = pl.DataFrame(
            {"user_id": ["x", "y"], "item_id": ["a03", "b04"], "timestamp": [START, START]}
        )
        synthetic = trained.sample(60, seed=1, conditions=Conditions(start=begun))
        kinds = kinds_of(synthetic.data.need("events"))
        assert kinds["first"].to_list() == ["a", "b"] * 30
        assert kinds["pure"].mean() > 0.97

    def test_other_conditions_are_met(self, trained):
        wanted = Conditions(item_ids=("a01", "b01"))
        events = trained.sample(40, seed=1, conditions=wanted).data.need("events")
        hit = pl.col("item_id").is_in(["a01", "b01"]).any()
        assert events.group_by("user_id").agg(hit)["item_id"].all()


def test_z_that_says_nothing_is_flagged_and_told(make_view):
    """Everybody takes the same items in any order: there is nobody to tell apart."""
    draw = random(4)
    histories = {f"u{n:02d}": [f"i{i}" for i in draw.permutation(6)] for n in range(60)}
    heard = RecordingProgress()
    synthesizer = fit(make_view(histories), progress=heard, kl_weight=1.0, kl_warm_up=0)
    assert synthesizer.collapsed_
    assert any("posterior collapse" in label for label, _ in heard.started)


def test_the_same_seed_fits_and_draws_the_same(view):
    first, again, other = (fit(view, seed=seed, max_epochs=1) for seed in (1, 1, 2))
    for drawn in (first, again, other):
        assert drawn.steps_ > 0
    rows = [one.sample(30, seed=2).data.need("events") for one in (first, again, other)]
    assert rows[0].equals(rows[1])
    assert not rows[0].equals(rows[2])
    assert not rows[0].equals(first.sample(30, seed=3).data.need("events"))


def test_people_or_the_prior_are_drawn_from(view):
    people = fit(view, max_epochs=1, components=1)
    normal = fit(view, max_epochs=1, drawn_from="normal")
    assert people._model.mixture.shares.size == 1
    rows = [one.sample(30, seed=2).data.need("events") for one in (people, normal)]
    assert not rows[0].equals(rows[1])


@pytest.mark.parametrize("rate", [30, 1e3, 1e8])
def test_training_that_diverges_is_refused(view, rate):
    with pytest.raises(InputError, match="lower learning_rate"):
        fit(view, learning_rate=rate, weight_decay=0)


def test_a_killed_fit_goes_on_to_the_same_weights(view, tmp_path):
    class Killed(RecordingProgress):
        def advance(self, steps=1):
            super().advance(steps)
            if self.steps == 2:
                raise KeyboardInterrupt

    kept = {"checkpoint_folder": str(tmp_path), "checkpoint_steps": 3, "kl_warm_up": 5}
    with pytest.raises(KeyboardInterrupt):
        fit(view, progress=Killed(), **kept)
    resumed, whole = fit(view, **kept), fit(view, kl_warm_up=5)
    left, right = (one._model.vae.vae.state_dict() for one in (resumed, whole))
    assert int(left["n_steps"]) == resumed.steps_ == whole.steps_
    assert all(torch.equal(left[name], right[name]) for name in right)


def test_a_checkpoint_of_other_rows_of_the_same_source_is_not_taken_over(view, tmp_path):
    """The fingerprint is that of the source; a bound on events leaves other rows of it."""
    kept = {"checkpoint_folder": str(tmp_path), "max_epochs": 1}
    fit(view, **kept)
    fewer = Dataset(items=view.items, events=view.events().group_by("user_id").head(3))
    bounded = PrivateView(fewer, mode="public", fingerprint=view.fingerprint, max_events_per_user=3)
    resumed, alone = fit(bounded, **kept), fit(bounded, max_epochs=1)
    assert resumed.loss_ == alone.loss_
    redrawn = fit(bounded, **kept, temperature=0.5, components=2, drawn_from="normal")
    assert redrawn.loss_ == alone.loss_


def test_one_held_out_user_says_what_z_is_worth(view):
    """Compared with people learned from; with nobody but themselves they would say nothing."""
    learned = fit(view, **(TRAINED | {"held_out": 0.001}))
    assert learned._model.vae.held_out.mean.shape[0] == 1
    assert learned.gain_ != 0


def test_many_and_long_beginnings_are_read_in_parts(people, trained, view, monkeypatch):
    from shopsynth.generate.sequences import latent_fitting

    _, histories = read_histories(view, "sequence_vae")
    vae = trained._model.vae
    given = Given.of(vae.learned.tokens.encode(histories), histories.time)
    monkeypatch.setattr(latent_fitting, "_ENCODED_TOGETHER", 7)
    assert vae.who(given, random()) == pytest.approx(people[0], abs=1e-5)
    monkeypatch.setattr(latent_fitting, "LONGEST_ROW", 2)
    cut = replace(given, lengths=np.minimum(given.lengths, 2))
    assert vae.who(given, random()) == pytest.approx(vae.who(cut, random()), abs=1e-6)


def test_the_prior_costs_nothing_and_what_it_costs_rises():
    nobody = Posterior(torch.zeros(2, 3), torch.zeros(2, 3))
    assert nobody.divergence().abs().max() == 0
    sure = Posterior(torch.ones(1, 1), torch.full((1, 1), -2.0))
    assert sure.divergence().item() == pytest.approx(0.5 * (1 + np.exp(-2) - 1 + 2))
    weights = [Easing(0.5, 10).at(step) for step in (0, 5, 10, 100)]
    assert weights == [0.0, 0.25, 0.5, 0.5]
    assert Easing(0.5, 0).at(0) == 0


def test_few_and_long_histories_are_learned(make_view, rows_of):
    histories = {
        f"u{n}": [f"i{(n + k) % 50:02d}" for k in range(n % 2 * 530 + 3)] for n in range(4)
    }
    made = rows_of(fit(make_view(histories), max_epochs=1).sample(4, seed=1))
    assert sorted(len(row) for row in made.values()) == [3, 3, 533, 533]


def test_odd_options_are_refused():
    odd: dict[str, object] = {"latent": 0, "drawn_from": "thin air", "kl_weight": -1}
    for name, value in odd.items():
        with pytest.raises(RecipeError, match=name):
            make_synthesizer("sequence_vae", {name: value})


@pytest.mark.parametrize("method", ["sequence_vae", "sequence_gan"])
def test_without_torch_the_extra_is_named(view, monkeypatch, method):
    from shopsynth.generate.sequences import streaming

    monkeypatch.setattr(streaming, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=rf"generate.{method}.*'shopsynth\[torch\]'"):
        make_synthesizer(method, {}).fit(view, seed=1)


def test_only_views_are_read(view):
    assert isinstance(view, PrivateView)
    with pytest.raises(InputError, match="call fit"):
        make_synthesizer("sequence_vae", {}).sample(1, seed=1)
