"""Each figure is 0 or 1 where synthetic rows are real ones, and moves where they are bent."""

import polars as pl
import pytest

from shopsynth.evaluate import measure_fidelity
from shopsynth.schema import EVALUATION_COLUMNS

POPULARITY = "item popularity: Jensen-Shannon divergence (0 is best)"
COVERAGE = "bought items that occur: share (1 is best)"
LENGTH = "history length: Kolmogorov-Smirnov distance (0 is best)"
REPEATS = "repeated items: difference of rates (0 is best)"
GAPS = "days between events: Kolmogorov-Smirnov distance (0 is best)"
HOURS = "hour of day: total variation (0 is best)"
GINI = "inequality of items: difference of Gini coefficients (0 is best)"
NOVELTY = "novelty of items: difference of mean self-information in bits (0 is best)"
RHYTHM = "history length and rhythm together: total variation (0 is best)"
SESSIONS = "days between sessions: Kolmogorov-Smirnov distance (0 is best)"
SEASONS = "when an item sells: mean difference in days (0 is best)"
AUC = "real histories told from others: AUC (0.5 is best)"
PROPOSED = (
    "next-item pairs of later real histories that occur, beside ItemKNN (1 is best; "
    "ceiling: as many pairs proposed by ItemKNN of train)"
)
PAIRS = "next-item pairs of later real histories that occur (1 is best; ceiling: in train)"


def figures(train, heldout, made, seed: int = 0) -> dict[str, tuple[float, float]]:
    fidelity = measure_fidelity(train, heldout, made, seed=seed)
    assert dict(fidelity.schema) == EVALUATION_COLUMNS["fidelity"]
    assert fidelity["table"].unique().to_list() == ["events"]
    return {name: (value, ceiling) for _, name, value, ceiling in fidelity.iter_rows()}


@pytest.fixture
def real(make_events, random_histories):
    return make_events(random_histories(400, "r", 1), hours=7)


@pytest.fixture
def heldout(make_events, random_histories):
    return make_events(random_histories(100, "h", 2), hours=7)


def test_real_rows_are_nearer_than_the_ceiling(real, heldout):
    """Half of the users compared are those they are compared with."""
    found = figures(real, heldout, real)
    for name in (POPULARITY, LENGTH, HOURS):
        assert found[name][0] < found[name][1]
    assert found[COVERAGE][0] >= found[COVERAGE][1]
    assert found[GAPS] == (0, 0)
    assert found[PAIRS][0] == found[PAIRS][1]
    assert 0.4 < found[PAIRS][0] < 1


def test_ceilings_are_what_two_halves_of_real_users_reach(real, heldout, random_histories):
    found = figures(real, heldout, real)
    assert 0 < found[POPULARITY][1] < 0.05
    assert 0.9 < found[COVERAGE][1] <= 1
    assert 0 < found[LENGTH][1] < 0.15


@pytest.mark.parametrize("n_users", [400, 1600])
def test_a_fresh_sample_of_the_same_shop_reaches_the_ceiling_and_no_more(
    heldout, make_events, random_histories, n_users
):
    """Compared whole, it would be twice as near as real rows are to real rows."""
    fresh = [
        figures(
            make_events(random_histories(400, "r", seed), hours=7),
            heldout,
            make_events(random_histories(n_users, "s", 100 + seed), hours=7),
            seed,
        )
        for seed in range(10)
    ]
    for name in (POPULARITY, LENGTH, HOURS, RHYTHM):
        reached, ceiling = (sum(found[name][i] for found in fresh) for i in (0, 1))
        assert reached == pytest.approx(ceiling, rel=0.25)


def test_each_bend_moves_its_own_figure(real, heldout, make_events, random_histories):
    longer = figures(real, heldout, make_events(random_histories(400, "s", 9, mean=20), hours=7))
    assert longer[LENGTH][0] > 0.3
    narrow = figures(real, heldout, make_events(random_histories(400, "s", 9, n_items=5), hours=7))
    assert narrow[COVERAGE][0] < 0.1
    assert narrow[REPEATS][0] > 0.2
    assert narrow[POPULARITY][0] > 0.1
    assert narrow[PAIRS][0] < 0.5 * narrow[PAIRS][1]
    assert narrow[PROPOSED][0] == narrow[PAIRS][0]
    assert narrow[GINI][0] > 0.2 > narrow[GINI][1]
    assert narrow[NOVELTY][0] > 0.5 > narrow[NOVELTY][1]
    assert narrow[AUC][0] > 0.9
    slow = figures(real, heldout, make_events(random_histories(400, "s", 9), hours=48))
    assert slow[GAPS][0] == 1
    assert slow[HOURS][0] > 0.5
    assert slow[SESSIONS] == (1, 0)
    assert slow[RHYTHM][0] > 0.5


def test_disjoint_items_are_as_far_as_can_be(make_events):
    real, made = make_events({"r1": "a b", "r2": "a b"}), make_events({"s": "c d"})
    found = figures(real, real, made)
    assert found[POPULARITY][0] == 1
    assert found[COVERAGE][0] == 0
    assert found[PAIRS] == (0, 1)


def test_whole_days_have_no_hours_and_an_order_has_no_times(make_events):
    by_day = make_events({"r1": "a b", "r2": "a b"})
    assert HOURS not in figures(by_day, by_day, by_day)
    by_order = by_day.with_columns(pl.int_range(pl.len()).over("user_id").alias("position")).drop(
        "timestamp"
    )
    assert set(figures(by_order, by_order, by_order)) == {
        POPULARITY,
        COVERAGE,
        GINI,
        NOVELTY,
        LENGTH,
        REPEATS,
        PAIRS,
        PROPOSED,
    }


def test_tiny_tables_give_nan_where_nothing_can_be_said(make_events):
    one = make_events({"r": "a"})
    found = figures(one, make_events({}), one)
    assert found[PAIRS][0] != found[PAIRS][0]
    assert found[GAPS][0] != found[GAPS][0]
    assert found[COVERAGE][1] != found[COVERAGE][1]


def test_items_sold_in_another_season_are_seen(real, heldout):
    found = figures(real, heldout, real)
    assert found[SEASONS][0] <= found[SEASONS][1]
    some = pl.col("item_id").rank("dense") % 2 == 0
    later = real.with_columns(pl.col("timestamp") + pl.when(some).then(pl.duration(days=30)))
    later = later.with_columns(pl.col("timestamp").fill_null(real["timestamp"]))
    assert found[SEASONS][0] + 10 < figures(real, heldout, later)[SEASONS][0] < 20
