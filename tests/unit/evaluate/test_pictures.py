"""Data of the pictures: shares add up, like histories coincide, samples keep their size."""

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import describe_distributions, dose_rows, embed_histories
from shopsynth.schema import EVALUATION_COLUMNS


def points(frame: pl.DataFrame, quantity: str, origin: str = "real") -> dict[str, float]:
    rows = frame.filter(quantity=quantity, origin=origin)
    return dict(rows.select("label", "share").iter_rows())


def test_distributions_by_hand(make_events):
    real = make_events({"ann": "a a a b", "bob": "a c"}, hours=36, start_hour=0)
    made = make_events({"s": "a b c d e f g"})
    frame = describe_distributions(real, made)
    assert dict(frame.schema) == EVALUATION_COLUMNS["distributions"]
    assert points(frame, "popularity") == {"1": 4 / 6, "2": 1 / 6, "3": 1 / 6}
    lengths = points(frame, "history_length")
    assert (lengths["2"], lengths["4"], sum(lengths.values())) == (0.5, 0.5, 1)
    assert points(frame, "history_length", "synthetic")["6-7"] == 1
    hours = points(frame, "hour_of_day")
    assert (hours["00:00"], hours["12:00"], len(hours)) == (0.5, 0.5, 24)
    assert points(frame, "gap_days")["1 day"] == 1


def test_every_length_and_gap_has_a_bin(make_events):
    long = make_events({"ann": " ".join("a" * 600)}, hours=0)
    frame = describe_distributions(long, make_events({"s": "a b"}, hours=24 * 400))
    assert points(frame, "history_length")["over 500"] == 1
    assert points(frame, "gap_days")["same moment"] == 1
    assert points(frame, "gap_days", "synthetic")["over a year"] == 1


def test_positions_rise_with_their_bins(make_events, random_histories):
    frame = describe_distributions(make_events(random_histories(50, "r", 1)), make_events({}))
    for quantity in ("popularity", "history_length", "hour_of_day", "gap_days"):
        positions = frame.filter(quantity=quantity)["position"]
        assert positions.n_unique() == positions.len() > 5
    assert frame["origin"].unique().to_list() == ["real"]


def test_an_order_without_times_has_two_quantities(make_events):
    events = make_events({"ann": "a b"}).drop("timestamp")
    ordered = events.with_columns(pl.int_range(pl.len()).alias("position"))
    frame = describe_distributions(ordered, ordered)
    assert set(frame["quantity"]) == {"popularity", "history_length"}


def test_single_events_have_no_gaps(make_events):
    events = make_events({"ann": "a", "bob": "b"})
    assert points(describe_distributions(events, events), "gap_days") == {}


def centre(cloud: pl.DataFrame, origin: str) -> np.ndarray:
    return cloud.filter(origin=origin).select("x", "y").mean().to_numpy()[0]


@pytest.mark.parametrize("n_items", [20, 90])
def test_two_tastes_lie_apart_and_like_histories_together(n_items, make_events):
    """Real users like the first or the second half of the items; synthetic ones the first."""
    generator = np.random.Generator(np.random.PCG64(1))

    def fans(prefix: str, n: int, low: int, high: int) -> dict[str, str]:
        return {
            f"{prefix}{user}": " ".join(f"i{item}" for item in generator.integers(low, high, 12))
            for user in range(n)
        }

    half = n_items // 2
    real = make_events({**fans("x", 80, 0, half), **fans("y", 80, half, n_items)})
    made = make_events(fans("s", 80, 0, half))
    cloud = embed_histories(real, made, seed=1, max_points=300)
    assert dict(cloud.schema) == EVALUATION_COLUMNS["embedding"]
    assert dict(cloud.group_by("origin").len().iter_rows()) == {
        "real": 100,
        "synthetic": 80,
        "combined": 100,
    }
    gaps = np.abs(np.subtract.outer(*[cloud.filter(origin="real")["x"].to_numpy()] * 2))
    assert abs(centre(cloud, "synthetic")[0]) > 0.3 * gaps.max()
    assert abs(centre(cloud, "real")[0]) < 0.2 * gaps.max()
    assert cloud.equals(embed_histories(real, made, seed=1, max_points=300))
    assert not cloud.equals(embed_histories(real, made, seed=2, max_points=300))


def test_few_or_no_synthetic_histories_still_make_a_map(make_events):
    real = make_events({"ann": "a b", "bob": "c d", "cat": "a"})
    cloud = embed_histories(real, make_events({}), seed=0)
    assert cloud["origin"].to_list() == ["real"] * 3 + ["combined"] * 3
    lonely = embed_histories(make_events({"ann": "a"}), make_events({"s": "b"}), seed=0)
    assert lonely.select("x", "y").null_count().sum_horizontal()[0] == 0
    assert lonely.height == 4


def test_dose_rows_have_a_mean_a_dose_and_one_chosen(make_units):
    doses = [(0.0, 1.0, 0.0), (0.5, 1.0, 0.05), (0.5, 0.5, 0.1)]
    units = pl.concat(
        [
            make_units({"combined": uplift}, noise=0.01, n_seeds=1)
            .drop("arm", "slice")
            .with_columns(ratio=pl.lit(ratio), weight=pl.lit(weight), sources=pl.lit(""))
            for ratio, weight, uplift in doses
        ]
    )
    rows = dose_rows(units, chosen={"ratio": 0.5, "weight": 0.5, "sources": ""})
    assert dict(rows.schema) == EVALUATION_COLUMNS["dose"]
    assert rows.select("ratio", "weight", "chosen").rows() == [
        (0.0, 1.0, False),
        (0.5, 0.5, True),
        (0.5, 1.0, False),
    ]
    assert (rows["low"] < rows["value"]).all()
    assert rows["value"].to_list() == pytest.approx([0.5, 0.6, 0.55], abs=0.03)
