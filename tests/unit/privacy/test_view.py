"""PrivateView: nothing copies it out, and in mode dp every answer is paid for."""

import copy
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from fakes.noise import NoNoise
from shopsynth.privacy import PrivateView, Purse
from shopsynth.privacy.charges import Charge
from shopsynth.schema import Dataset, PrivacyError

DATA = Dataset(
    items=pl.DataFrame({"item_id": ["a", "b"]}),
    events=pl.DataFrame(
        {"user_id": ["v", "u", "u"], "item_id": ["a", "b", "a"], "position": [0, 1, 0]}
    ),
)
VIEW = PrivateView(DATA, mode="public", fingerprint="f" * 64, max_events_per_user=5)


def test_events_come_by_user_in_order():
    assert VIEW.events().rows() == [("u", "a", 0), ("u", "b", 1), ("v", "a", 0)]


def test_it_is_not_reduced_and_prints_no_rows():
    with pytest.raises(PrivacyError, match="not pickled"):
        copy.copy(VIEW)
    assert repr(VIEW) == "PrivateView(mode='public', {'items': 2, 'events': 3})"


class Till:
    """Notes what is asked of it; a budget of mu 1."""

    delta = 1e-6

    def __init__(self):
        self.calls = []

    def allowance(self):
        return 1.0

    def left(self):
        return 1.0

    def reserve(self, charges, actor):
        self.calls.append(("reserve", len(charges), actor))
        return "r1"

    def commit(self, reservation):
        self.calls.append(("commit", reservation))


@dataclass(frozen=True)
class Longest:
    """Answers with the most events of a user, and no noise at all."""

    noise_multiplier: float = 2.0
    breaks: bool = False

    def charge(self):
        return Charge("longest", "gaussian", self.noise_multiplier)

    def answer(self, rows, noise):
        if self.breaks:
            raise RuntimeError("the process died")
        return rows.events["user_id"].value_counts()["count"].max()


@pytest.fixture
def till(monkeypatch):
    monkeypatch.setattr("shopsynth.privacy.view.MECHANISMS", {Longest})
    return Till()


def dp_view(till=None, share=1.0, bound=5, users_bound=None):
    purse = Purse(till, share, "fake", noise=NoNoise()) if till else None
    return PrivateView(
        DATA,
        mode="dp",
        fingerprint="f" * 64,
        max_events_per_user=bound,
        users_bound=users_bound,
        purse=purse,
    )


def test_dp_gives_no_rows_and_counts_nothing_for_free():
    view = dp_view()
    for ask in ("rows", "n_users"):
        with pytest.raises(PrivacyError, match="mode dp"):
            getattr(view, ask)
    with pytest.raises(PrivacyError, match="only answers of mechanisms"):
        view.events()
    assert dp_view(users_bound=10).n_users == 10
    assert dp_view(users_bound=10).n_owners("reviews") == 10
    assert repr(view) == "PrivateView(mode='dp')"


def test_no_attribute_of_a_dp_view_holds_rows(till):
    view = dp_view(till)
    held = [value for value in vars(view).values() if isinstance(value, pl.DataFrame)]
    assert [frame.columns for frame in held] == [["item_id"]]
    assert not any(isinstance(value, Dataset) for value in vars(view).values())
    with pytest.raises(AttributeError):
        _ = view._data
    with pytest.raises(PrivacyError, match="not pickled"):
        copy.deepcopy(view)


def test_an_answer_is_reserved_before_rows_are_read_and_committed_after(till):
    assert dp_view(till).buy([Longest(), Longest(3.0)]) == [2, 2]
    assert till.calls == [("reserve", 2, "fake"), ("commit", "r1")]


def test_an_answer_that_fails_stays_reserved(till):
    with pytest.raises(RuntimeError):
        dp_view(till).buy([Longest(breaks=True)])
    assert till.calls == [("reserve", 1, "fake")]


def test_a_method_cannot_spend_more_than_its_share(till):
    view = dp_view(till, share=0.25)
    assert view.allowance == 0.5
    view.buy([Longest(2.0)])
    with pytest.raises(PrivacyError, match=r"mu 0\.5 at most.*got mu 0\.7071"):
        view.buy([Longest(2.0)])
    assert len(till.calls) == 2


def test_steps_of_a_training_get_what_noise_a_part_of_the_allowance_asks(till):
    noise = dp_view(till).steps_noise(0.5, steps=100, sampling_rate=1.0)
    assert noise == pytest.approx(20.0, rel=2e-3)
    assert till.calls == []


def test_thresholds_may_not_fail_more_often_than_a_methods_part_of_delta(till):
    charge = Charge("vocabulary", "gaussian", 9.0, slack=0.6e-6)
    purse = Purse(till, 0.5, "fake", noise=NoNoise())
    with pytest.raises(PrivacyError, match="fail with 5e-07 at most"), purse.paying([charge]):
        pass
    assert till.calls == []
    with Purse(till, 1.0, "fake", noise=NoNoise()).paying([charge]):
        pass


def test_strangers_and_heirs_of_mechanisms_read_nothing(till):
    class Heir(Longest):
        pass

    class Thief:
        def charge(self):
            return Charge("thief", "gaussian", 1e9)

        def answer(self, rows, noise):
            return rows

    for stranger in (Heir(), Thief()):
        with pytest.raises(PrivacyError, match=type(stranger).__name__):
            dp_view(till).buy([stranger])
    assert till.calls == []


def test_a_method_put_in_place_of_a_mechanisms_own_reads_nothing(till):
    taught = Longest()
    object.__setattr__(taught, "answer", lambda rows, noise: rows)
    assert dp_view(till).buy([taught]) == [2]


def test_who_has_no_purse_buys_nothing(till):
    with pytest.raises(PrivacyError, match="no purse"):
        dp_view().buy([Longest()])
    with pytest.raises(PrivacyError, match="no purse"):
        _ = VIEW.allowance
    with pytest.raises(PrivacyError, match="no purse"):
        VIEW.steps_noise(0.5, steps=3, sampling_rate=1.0)
    public = PrivateView(
        DATA, mode="public", fingerprint="", max_events_per_user=5, purse=Purse(till, 1.0, "fake")
    )
    with pytest.raises(PrivacyError, match="expected a view in mode dp"):
        public.buy([Longest()])


def test_the_bound_is_applied_again_where_noise_is_scaled_to_it(till):
    assert dp_view(till, bound=1).buy([Longest()]) == [1]


@pytest.mark.parametrize("room", ["generate", "train"])
def test_no_room_that_learns_reaches_around_the_view(room):
    sources = sorted(Path(str(files("shopsynth").joinpath(room))).rglob("*.py"))
    assert len(sources) > 10
    around = re.compile(r"view\._|_PrivateView|PrivateView\(|\bprotect\(|open_view\(|load_key\(")
    assert [path.name for path in sources if around.search(path.read_text())] == []
