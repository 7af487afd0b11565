"""noise: pieces, gaps and shuffles of real histories, and nothing learned."""

import pytest

from shopsynth.generate import make_synthesizer

N_USERS, LENGTH = 60, 10


@pytest.fixture
def view(make_view):
    return make_view(
        {f"u{n:02d}": [f"u{n:02d}-i{i}" for i in range(LENGTH)] for n in range(N_USERS)}
    )


def sample(view, n, rows_of, seed=1, **options):
    made = make_synthesizer("noise", options).fit(view, seed=0).sample(n, seed=seed)
    return [[int(item.split("-i")[1]) for item in items] for items in rows_of(made).values()]


def kind(places):
    """Tell what happened to a history by the places its items had."""
    if sorted(places) != places:
        return "reordered"
    if len(places) == LENGTH:
        return "same"
    return "cropped" if places[-1] - places[0] == len(places) - 1 else "masked"


def test_each_operator_takes_its_turn(view, rows_of):
    made = sample(view, 300, rows_of, insert_rate=0)
    kinds = [kind(places) for places in made]
    assert all(kinds.count(name) > 60 for name in ("cropped", "masked", "reordered"))
    cropped = {len(places) for places in made if kind(places) == "cropped"}
    assert 6 in cropped
    masked = [len(places) for places in made if kind(places) == "masked"]
    assert sum(masked) / len(masked) == pytest.approx(7, abs=0.6)


def test_only_a_window_is_reordered(view, rows_of):
    made = sample(view, 300, rows_of, insert_rate=0, reorder_share=0.4)
    reordered = [places for places in made if kind(places) == "reordered"]
    assert len(reordered) > 50
    for places in reordered:
        assert sorted(places) == list(range(LENGTH))
        moved = [place for place, was in enumerate(places) if place != was]
        assert moved[-1] - moved[0] < 4


def test_no_history_is_emptied(view, rows_of):
    made = sample(view, 200, rows_of, mask_rate=0.99, crop_keep=0.01, insert_rate=0)
    assert min(map(len, made)) == 1


def test_inserts_come_by_popularity(make_view, rows_of):
    histories = {f"u{n:02d}": ["hit", f"rare{n}"] for n in range(40)}
    histories |= {f"v{n:02d}": [f"rare{n}", f"rare{n + 1}"] for n in range(39)}
    synthesizer = make_synthesizer(
        "noise", {"insert_rate": 1, "crop_keep": 1, "mask_rate": 0, "reorder_share": 0}
    )
    made = rows_of(synthesizer.fit(make_view(histories), seed=0).sample(790, seed=1))
    longer = [items for items in made.values() if "hit" in items]
    assert len(made) == 790
    # In half of the histories the hit is new; there it comes with 40 of 158 draws, two chances.
    assert len(longer) - 400 == pytest.approx(390 * (1 - (1 - 40 / 158) ** 2), rel=0.25)
