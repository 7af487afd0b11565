"""Planted copies are found, honest samples pass, and the power is told."""

import polars as pl
import pytest

from shopsynth.evaluate import audit_release
from shopsynth.schema import EVALUATION_COLUMNS

WHOLE, RUNS, DISTANCE = (
    "exact_copies_of_histories",
    "copies_of_5_item_runs",
    "distance_to_closest_record_share",
)


@pytest.fixture
def shop(make_events, random_histories):
    return (
        make_events(random_histories(300, "r", 1)),
        make_events(random_histories(300, "h", 2)),
        random_histories(300, "s", 3),
    )


def audited(train, heldout, made, mode="deidentify") -> dict[str, dict[str, object]]:
    audits = audit_release(train, heldout, made, mode)
    assert dict(audits.schema) == EVALUATION_COLUMNS["audits"]
    return {row["name"]: row for row in audits.iter_rows(named=True)}


def test_an_honest_sample_passes(shop, make_events):
    train, heldout, made = shop
    found = audited(train, heldout, make_events(made))
    assert [found[name]["passed"] for name in (WHOLE, RUNS, DISTANCE)] == [True] * 3
    assert found[WHOLE]["threshold"] == 0.01 / 13


@pytest.mark.planted_leak
def test_copied_histories_are_found(shop, make_events, random_histories):
    train, heldout, made = shop
    originals = list(random_histories(300, "r", 1).values())
    copies = {f"copy{n}": row for n, row in enumerate(originals[:60])}
    found = audited(train, heldout, make_events({**made, **copies}))
    assert not found[WHOLE]["passed"]
    assert not found[RUNS]["passed"]
    assert found[DISTANCE]["passed"]
    assert found[DISTANCE]["threshold"] is None
    honest = audited(train, heldout, make_events(made))
    assert float(str(found[DISTANCE]["value"])) > float(str(honest[DISTANCE]["value"])) + 0.02


@pytest.mark.planted_leak
def test_copied_runs_inside_other_histories_are_found(shop, make_events, random_histories):
    train, heldout, made = shop
    long = [row.split() for row in random_histories(300, "r", 1).values()]
    pieces = {
        f"copy{n}": " ".join(["i59", *row[:7], "i58"]) for n, row in enumerate(long) if len(row) > 6
    }
    found = audited(train, heldout, make_events({**made, **pieces}))
    assert found[WHOLE]["passed"]
    assert not found[RUNS]["passed"]


def test_copies_by_chance_are_no_excess(make_events):
    """Everybody buys the same: synthetic rows equal train and held-out histories alike."""
    habit = {f"{n}": "a b c d e f" for n in range(50)}
    train, heldout, made = (make_events({p + k: v for k, v in habit.items()}) for p in "rhs")
    found = audited(train, heldout, made)
    assert found[WHOLE]["passed"]
    assert found[RUNS]["passed"]
    assert found[DISTANCE]["value"] == 0.5
    assert "50 of 50 readable and 50 of 50 held-out" in str(found[WHOLE]["power"])


def test_short_histories_belong_to_nobody(make_events):
    train = make_events({f"r{n}": "a b" for n in range(50)})
    found = audited(train, make_events({"h": "c d e"}), make_events({"s": "a b"}))
    assert "0 of 0 readable" in str(found[WHOLE]["power"])


def test_power_names_the_fewest_copies_that_would_show(make_events):
    """Ten of 100 against none have a Fisher p of .0004, but not after what drift could explain."""
    train = make_events({f"r{n:03d}": f"a{n} b{n} c{n}" for n in range(100)})
    heldout = make_events({f"h{n:03d}": f"x{n} y{n} z{n}" for n in range(100)})
    for n_copied, passed in ((10, True), (11, False)):
        made = make_events({f"s{n}": f"a{n} b{n} c{n}" for n in range(n_copied)})
        audit = audited(train, heldout, made)[WHOLE]
        assert "fewer than 11 copied histories" in str(audit["power"])
        assert audit["passed"] is passed


def test_without_a_yardstick_the_audit_says_that_it_is_blind(make_events):
    train = make_events({"r1": "a b c", "r2": "d e f"})
    made = make_events({"s1": "a b c", "s2": "d e f"})
    found = audited(train, make_events({}), made)
    assert found[WHOLE]["threshold"] is None
    last_two = audited(train, make_events({"r1": "d e", "r2": "f a"}), made)
    assert last_two[WHOLE]["threshold"] is None
    assert "no excess could be shown at all" in str(found[WHOLE]["power"])
    assert found[DISTANCE]["value"] != found[DISTANCE]["value"]


def test_the_mode_is_told(make_events):
    events = make_events({"r": "a b c"})
    for mode, words in (("dp", "mechanism's"), ("public", "by declaration"), ("own", "mode own")):
        assert words in str(audited(events, events, events, mode)[WHOLE]["power"])


def test_rows_in_another_order_give_the_same_audit(shop, make_events):
    train, heldout, made = shop
    rows = make_events(made)
    shuffled = train.sample(fraction=1.0, shuffle=True, seed=1)
    first, second = (audit_release(real, heldout, rows, "dp") for real in (train, shuffled))
    assert first.equals(second)
    assert isinstance(first, pl.DataFrame)
