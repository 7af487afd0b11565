"""PrivateView: a receipt restores it, nothing copies it out."""

import copy
import re
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from shopsynth.privacy import PrivateView
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


def test_a_receipt_restores_the_view():
    again = PrivateView.restore(DATA, VIEW.receipt())
    assert again.receipt() == VIEW.receipt()
    assert again.events().equals(VIEW.events())


def test_it_is_not_reduced_and_prints_no_rows():
    with pytest.raises(PrivacyError, match="not pickled"):
        copy.copy(VIEW)
    assert repr(VIEW) == "PrivateView(mode='public', {'items': 2, 'events': 3})"


def test_dp_counts_nothing_for_free_but_can_be_stored():
    view = PrivateView(DATA, mode="dp", fingerprint="f" * 64, max_events_per_user=5)
    with pytest.raises(PrivacyError, match="only answers of mechanisms"):
        _ = view.n_users
    assert set(view.protected_tables()) == {"items", "events"}
    assert repr(view) == "PrivateView(mode='dp')"


@pytest.mark.parametrize("room", ["generate", "train"])
def test_no_room_that_learns_reaches_around_the_view(room):
    sources = sorted(Path(str(files("shopsynth").joinpath(room))).rglob("*.py"))
    assert len(sources) > 10
    around = re.compile(r"protected_tables|view\._data|PrivateView\.restore|open_view\(|load_key\(")
    assert [path.name for path in sources if around.search(path.read_text())] == []
