"""teacher on planted shops: walks follow who bought what together and what is alike."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from shopsynth.generate import Conditions, _affinity, make_synthesizer, teacher
from shopsynth.generate._affinity import draw_next, likeness, next_scores
from shopsynth.schema import InputError, RecipeError


def fitted(view, **options):
    return make_synthesizer("teacher", options).fit(view, seed=0)


def sample(view, n, seed=1, **options):
    return fitted(view, **options).sample(n, seed=seed)


def groups(n_users=80, n_groups=4, size=6):
    """Everybody buys three items of one group, nobody any of another."""
    random = np.random.Generator(np.random.PCG64(3))
    return {
        f"u{user:03d}": [
            f"g{user % n_groups}-{item}" for item in random.permutation(size)[:3].tolist()
        ]
        for user in range(n_users)
    }


def catalogue(n_groups=4, size=8, **columns):
    """Two items a group more than anybody bought."""
    ids = [f"g{group}-{item}" for group in range(n_groups) for item in range(size)]
    return pl.DataFrame({"item_id": ids}).with_columns(**columns)


TAGGED = catalogue(tags=pl.concat_list(pl.col("item_id").str.slice(0, 2)))


def test_a_walk_stays_among_what_was_bought_together(make_view, rows_of):
    made = rows_of(sample(make_view(groups()), 200))
    assert all(len({item[:2] for item in items}) == 1 for items in made.values())
    starts = [items[0] for items in made.values()]
    assert {starts.count(item) for item in set(starts)} <= {8, 9}
    assert len(set(starts)) == 24


def test_content_leads_to_what_nobody_bought(make_view, rows_of):
    made = rows_of(sample(make_view(groups(), TAGGED), 320, content=0.5, sharpness=2))
    assert all(len({item[:2] for item in items}) == 1 for items in made.values())
    later = [item for items in made.values() for item in items[1:]]
    never = [item for item in later if item.endswith(("-6", "-7"))]
    assert len(set(never)) == 8
    # And the catalogue alone does not decide: what was bought comes up more often.
    assert len(never) / 2 < 0.8 * (len(later) - len(never)) / 6


def test_without_content_walks_lead_only_to_what_was_bought(make_view, rows_of):
    made = rows_of(sample(make_view(groups(), catalogue()), 100))
    assert not any(item.endswith(("-6", "-7")) for items in made.values() for item in items)


def test_the_weight_of_content_is_chosen_by_what_it_is_worth(make_view):
    assert fitted(make_view(groups(), catalogue())).content_ == 0
    assert fitted(make_view(groups(), TAGGED)).content_ < 1
    # Tags that say nothing about what people buy, and tags that say everything.
    shuffled = np.random.Generator(np.random.PCG64(1)).permutation(TAGGED["tags"].to_list())
    misled = TAGGED.with_columns(tags=pl.Series(shuffled.tolist()))
    assert fitted(make_view(groups(), misled)).content_ <= 0.2
    pairs = {
        f"u{n:02d}": [f"g{n % 4}-{n // 4 % 4}", f"g{n % 4}-{4 + n // 4 % 4}"] for n in range(16)
    }
    assert fitted(make_view(pairs, TAGGED)).content_ > 0


def test_a_part_of_many_histories_is_asked_and_says_the_same(make_view, monkeypatch):
    view = make_view(groups(), TAGGED)
    everybody = fitted(view).content_
    monkeypatch.setattr(_affinity, "_MAX_ASKED", 60)
    assert fitted(view).content_ == pytest.approx(everybody, abs=0.3)


def test_what_most_items_share_is_not_compared(monkeypatch):
    vectors = sparse.csr_matrix(np.array([[0.8, 0.6], [0.8, 0.6], [0.8, 0.6], [1.0, 0.0]]))
    assert likeness(vectors, k=3).getnnz(axis=1).tolist() == [3, 3, 3, 3]
    monkeypatch.setattr(_affinity, "_COMMON", 3)
    assert likeness(vectors, k=3).getnnz(axis=1).tolist() == [2, 2, 2, 0]


def test_single_events_leave_nobody_to_ask(make_view, rows_of):
    view = make_view({f"u{n}": [f"g{n % 4}-{n % 6}"] for n in range(24)}, TAGGED)
    assert fitted(view).content_ == 0.5
    made = rows_of(sample(view, 40))
    assert {len(items) for items in made.values()} == {1}
    assert {items[0] for items in made.values()} == set(TAGGED["item_id"])


def test_content_that_is_not_there_cannot_be_asked_for(make_view):
    with pytest.raises(InputError, match=r"generate\.teacher: expected a catalogue with text"):
        fitted(make_view(groups()), content=0.3)
    with pytest.raises(RecipeError, match="content"):
        make_synthesizer("teacher", {"content": 1.5})


def test_starts_can_be_those_of_people(make_view, rows_of):
    histories = {f"u{n:02d}": ["a", *(f"i{(n + k) % 10}" for k in range(4))] for n in range(40)}
    starts = {items[0] for items in rows_of(sample(make_view(histories), 60, spread=0)).values()}
    assert starts == {"a"}
    spread = {items[0] for items in rows_of(sample(make_view(histories), 60)).values()}
    assert len(spread) == 11


def test_every_history_starts_with_a_wanted_item(make_view, rows_of):
    synthesizer = fitted(make_view(groups(), TAGGED))
    wanted = Conditions(item_ids=("g1-7", "g3-6", "g3-6"))
    made = rows_of(synthesizer.sample(20, conditions=wanted, seed=2))
    starts = [items[0] for items in made.values()]
    assert (starts.count("g1-7"), starts.count("g3-6")) == (10, 10)
    with pytest.raises(InputError, match="1 of 2 that are not"):
        synthesizer.sample(2, conditions=Conditions(item_ids=("g1-7", "unheard of")), seed=2)


def test_sharpness_decides_how_often_the_best_wins():
    scores = sparse.csr_matrix(np.array([[0.0, 1.0, 2.0, -np.inf]], dtype=np.float32))
    many = sparse.vstack([scores] * 3000, format="csr")
    random = np.random.Generator(np.random.PCG64(0))
    flat, sharp = (draw_next(many, power, random) for power in (1.0, 4.0))
    assert set(flat) == set(sharp) == {1, 2}
    assert (flat == 2).mean() == pytest.approx(2 / 3, abs=0.03)
    assert (sharp == 2).mean() == pytest.approx(16 / 17, abs=0.02)
    nothing = sparse.csr_matrix((2, 4), dtype=np.float32)
    assert draw_next(nothing, 1.0, random).tolist() == [-1, -1]


def test_scores_are_the_recency_weighted_sum():
    mixed = sparse.csr_matrix(np.array([[-np.inf, 1, 2], [4, -np.inf, 0], [0, 8, -np.inf]]))
    mixed = mixed.astype(np.float32)
    newest_first = np.array([[0, 1]])
    scores = next_scores(mixed, newest_first, decay=0.5, context=5).toarray()
    assert scores[0].tolist() == [-np.inf, -np.inf, 2.0]
    only_newest = next_scores(mixed, np.array([[2, 1, 0]]), decay=0.5, context=1).toarray()
    assert (only_newest == -np.inf).all()


def test_people_who_buy_again_are_followed(make_view, rows_of):
    histories = {
        f"u{n:02d}": [f"i{n % 9}", f"i{(n + 1) % 9}", f"i{(n + n % 2 * 2) % 9}"] for n in range(36)
    }
    made = rows_of(sample(make_view(histories), 90))
    again = [items[2] == items[0] for items in made.values()]
    assert np.mean(again) == pytest.approx(0.5, abs=0.15)


def test_who_has_everything_buys_again_and_nothing_breaks(make_view, rows_of):
    view = make_view(
        {f"u{n}": ["a", "b", "c"] for n in range(5)} | {"v": ["a", "b", "a", "b", "a"]}
    )
    made = rows_of(sample(view, 60))
    assert max(len(items) for items in made.values()) == 5
    assert all(a != b for items in made.values() for a, b in pairwise(items[:2]))


def test_a_dead_end_is_left_by_a_jump(make_view, rows_of):
    view = make_view({"u": ["a", "b"], "v": ["a", "b"], "w": ["c", "d", "e"]})
    made = rows_of(sample(view, 60))
    jumped = [items for items in made.values() if len(items) == 3 and items[0] in "ab"]
    assert jumped
    assert all(len(set(items)) == 3 for items in jumped)


def test_blocks_do_not_repeat_each_other(make_view, rows_of, monkeypatch):
    view = make_view(groups())
    whole = rows_of(sample(view, 90))
    monkeypatch.setattr(teacher, "_BLOCK_USERS", 30)
    parts = list(rows_of(sample(view, 90)).values())
    assert len(parts) == len(whole) == 90
    assert parts[:30] != parts[30:60]


def test_an_item_nobody_bought_takes_its_price_from_the_catalogue(make_view):
    items = TAGGED.with_columns(price=pl.int_range(pl.len()).cast(pl.Float64) + 100)
    events = make_view(groups(), items, price=pl.lit(5.0))
    made = sample(events, 100, content=0.5, sharpness=2).data
    priced = made.need("events").join(items, on="item_id", suffix="_listed")
    never = pl.col("item_id").str.ends_with("-6") | pl.col("item_id").str.ends_with("-7")
    assert priced.filter(never).height > 20
    assert (priced.filter(never)["price"] == priced.filter(never)["price_listed"]).all()
    assert (priced.filter(~never)["price"] == 5.0).all()
