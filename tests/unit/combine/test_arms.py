"""Every arm mixes what its name says, in the real table's columns."""

from dataclasses import replace

import polars as pl
import pytest

from shopsynth.combine import ARMS, Material, build_arm
from shopsynth.schema import Dataset, InputError, SchemaError, UnknownNameError


@pytest.fixture
def real(make_events, items):
    """Twelve warm users who share a, b, c; four tail users with an item of their own."""
    warm = {f"warm{i:02d}": "a b c" for i in range(12)}
    tail = {f"tail{i}": f"a {chr(ord('p') + i)}" for i in range(4)}
    return Dataset(items=items, events=make_events({**warm, **tail}))


@pytest.fixture
def material(real, make_synthetic):
    made = make_synthetic({f"s{i:02d}": "a b c d" for i in range(20)})
    noise = make_synthetic({f"n{i:02d}": "x y" for i in range(50)}, "noise_maker")
    return Material(real, (made,), noise, ratio=0.5, weight=0.25)


def made_part(training) -> pl.DataFrame:
    return training.rows.filter(pl.col("origin") != "real")


def test_the_arms_of_the_protocol_are_all_there():
    assert ARMS.names() == [
        "broken_link",
        "combined",
        "noise",
        "oracle",
        "oversample",
        "real",
        "same_compute",
        "side_information",
        "synthetic",
    ]


def test_methods_take_their_share_of_the_weight_and_controls_the_mean(real, make_synthetic):
    made = (
        make_synthetic({f"s{i:02d}": "a b c d" for i in range(20)}, "markov"),
        make_synthetic({f"t{i:02d}": "a b c d" for i in range(20)}, "mask"),
    )
    noise = make_synthetic({f"n{i:02d}": "x y" for i in range(50)}, "noise_maker")
    material = Material(real, made, noise, ratio=0.5, weight=0.5, sources={"mask": 0.2})
    for name in ("combined", "synthetic", "broken_link"):
        weights = made_part(build_arm(name, material, 7))["weight"]
        assert weights.unique().sort().to_list() == [0.1, 0.5]
        mean = pytest.approx(weights.to_numpy().mean())
    rows = made_part(build_arm("combined", material, 7))
    assert rows.filter(origin="mask")["weight"].unique().to_list() == [0.1]
    for name in ("noise", "oversample"):
        (weight,) = made_part(build_arm(name, material, 7))["weight"].unique()
        assert weight == mean


def test_an_unknown_arm_names_the_known_ones(material):
    with pytest.raises(UnknownNameError, match="did you mean 'combined'"):
        build_arm("combine", material, 0)


@pytest.mark.parametrize("name", ["broken_link", "combined", "noise", "oversample", "synthetic"])
def test_every_arm_keeps_the_contract(name, material):
    """Real columns in front, real rows as they were, D′ of the same size, same seed same rows."""
    training = build_arm(name, material, 7)
    real = material.real_rows
    assert training.arm == name
    assert training.rows.columns == [*real.columns, "origin", "weight"]
    expected = round(0.5 * real.height)
    assert expected <= made_part(training).height < expected + 4
    assert made_part(training)["weight"].unique().to_list() == [0.25]
    if name != "synthetic":
        kept = training.rows.filter(pl.col("origin") == "real")
        assert kept.select(real.columns).equals(real)
        assert kept["weight"].unique().to_list() == [1.0]
    assert training.rows.equals(build_arm(name, material, 7).rows)
    assert not set(made_part(training)["user_id"]) & set(real["user_id"])


@pytest.mark.parametrize(
    ("name", "compute_of", "fuses"),
    [
        ("real", None, None),
        ("same_compute", "combined", None),
        ("side_information", None, "real"),
    ],
)
def test_arms_of_real_rows_alone(name, compute_of, fuses, material):
    training = build_arm(name, material, 0)
    assert training.rows.drop("origin", "weight").equals(material.real_rows)
    assert training.rows["origin"].unique().to_list() == ["real"]
    assert ARMS.get(name).compute_of == compute_of
    assert ARMS.get(name).fuses == fuses


def test_origin_is_the_synthesizer_and_for_controls_their_name(material):
    origins = {
        name: made_part(build_arm(name, material, 0))["origin"].unique().to_list()
        for name in ("combined", "synthetic", "noise", "oversample", "broken_link")
    }
    assert origins == {
        "combined": ["markov"],
        "synthetic": ["markov"],
        "noise": ["noise"],
        "oversample": ["oversample"],
        "broken_link": ["broken_link"],
    }


def test_broken_link_keeps_marginals_and_breaks_pairings(real, make_synthetic):
    """Every synthetic user buys one item again and again; broken, hardly anybody does."""
    made = make_synthetic({f"s{i:02d}": " ".join("abcdefghij"[i % 10] * 6) for i in range(30)})
    material = Material(real, (made,), None, ratio=5.0, weight=1.0)
    whole, broken = (
        made_part(build_arm(name, material, 1)) for name in ("combined", "broken_link")
    )
    assert whole["item_id"].sort().equals(broken["item_id"].sort())
    assert whole.select("user_id", "timestamp").equals(broken.select("user_id", "timestamp"))
    tastes = [
        rows.group_by("user_id").agg(pl.n_unique("item_id"))["item_id"].to_numpy().mean()
        for rows in (whole, broken)
    ]
    assert tastes[0] == 1
    assert tastes[1] > 4


def test_noise_has_the_size_of_the_dose_and_only_noise_rows(material):
    made = made_part(build_arm("noise", material, 0))
    assert set(made["item_id"]) == {"x", "y"}
    with pytest.raises(InputError, match="needs noise rows"):
        build_arm("noise", replace(material, noise=None), 0)


@pytest.mark.parametrize("tail_share", [0.0, 0.2, 0.45])
def test_oversample_copies_whole_users_with_the_dose_s_share_of_tail_rows(
    tail_share, items, make_events, make_synthetic
):
    warm = {f"warm{i:03d}": "a b c d" for i in range(200)}
    tail = {f"tail{i:02d}": f"a {chr(ord('g') + i)}" for i in range(20)}
    real = Dataset(items=items, events=make_events({**warm, **tail}))
    n_tail = round(100 * tail_share)
    histories = {f"t{i:03d}": "g" for i in range(n_tail)}
    histories |= {f"w{i:03d}": "b" for i in range(100 - n_tail)}
    material = Material(real, (make_synthetic(histories),), None, ratio=100.0, weight=1.0)
    larger = replace(
        material,
        synthetic=(
            make_synthetic({k: f"{v} {v} {v} {v} {v} {v} {v} {v}" for k, v in histories.items()}),
        ),
    )
    copies = made_part(build_arm("oversample", larger, 3))
    share = copies["item_id"].is_in([*"ghijklmnopqrstuvwxyz"]).mean()
    assert share == pytest.approx(tail_share, abs=0.05)
    assert 800 <= copies.height < 804
    originals = {
        tuple(row)
        for (row,) in real.need("events")
        .group_by("user_id")
        .agg("item_id")
        .select("item_id")
        .iter_rows()
    }
    copied = {
        tuple(row)
        for (row,) in copies.group_by("user_id", maintain_order=True)
        .agg("item_id")
        .select("item_id")
        .iter_rows()
    }
    assert copied <= originals
    assert all(user.startswith("oversample-") for user in copies["user_id"])


def test_oversample_gives_copies_sessions_of_their_own(items, make_events, make_synthetic):
    events = make_events({"ann": "a b", "bob": "c d"}).with_columns(
        pl.concat_str(pl.lit("session-"), "user_id").alias("session_id")
    )
    real = Dataset(items=items, events=events)
    material = Material(real, (make_synthetic({"s": "a b c d e f"}),), None, 1.5, 1.0)
    rows = build_arm("oversample", material, 0).rows
    owners = rows.group_by("session_id").agg(pl.n_unique("user_id"))
    assert owners["user_id"].unique().to_list() == [1]
    assert rows["user_id"].n_unique() == 5


def test_real_columns_win(items, make_events, make_synthetic):
    real_events = make_events({"ann": "a b c d"}).with_columns(
        pl.lit(2.0).alias("quantity"), pl.lit(1, dtype=pl.Int64).alias("position")
    )
    made_events = make_events({"s": "a b"}).with_columns(pl.lit("x").alias("mood"))
    material = Material(
        Dataset(items=items, events=real_events), (make_synthetic(made_events),), None, 0.5, 1.0
    )
    made = made_part(build_arm("combined", material, 0))
    assert "mood" not in made.columns
    assert made["quantity"].to_list() == [None, None]
    assert made["position"].to_list() == [0, 1]


def test_positions_are_counted_by_time_and_rows_keep_their_origin(
    items, make_events, make_synthetic
):
    """Users of two data sets interleave by id; each row must still say who made it."""
    real_events = make_events({"ann": "a b c d"}).with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("position")
    )
    made = (
        make_synthetic(make_events({"s1": "a b", "s3": "c d"}).reverse(), "markov"),
        make_synthetic(make_events({"s2": "e f"}), "substitute"),
    )
    material = Material(Dataset(items=items, events=real_events), made, None, 2.0, 1.0)
    rows = made_part(build_arm("combined", material, 0))
    assert rows.sort("user_id", "position").select("origin", "item_id", "position").rows() == [
        ("markov", "a", 0),
        ("markov", "b", 1),
        ("substitute", "e", 0),
        ("substitute", "f", 1),
        ("markov", "c", 0),
        ("markov", "d", 1),
    ]


def test_attributes_that_do_not_fit_are_refused(items, make_events, make_synthetic):
    real_events = make_events({"ann": "a b"}).with_columns(pl.lit(1.5).alias("length_cm"))
    made_events = make_events({"s": "a b"}).with_columns(pl.lit("wide").alias("length_cm"))
    material = Material(
        Dataset(items=items, events=real_events), (make_synthetic(made_events),), None, 1.0, 1.0
    )
    with pytest.raises(SchemaError, match="do not fit the real column's type"):
        build_arm("combined", material, 0)


def test_faults_of_synthetic_rows_are_collected_without_values(items, real, make_synthetic):
    made = pl.DataFrame({"user_id": ["s", "s"], "item_id": ["a", "secret"], "position": [0, 1]})
    material = Material(real, (make_synthetic(made),), None, 1.0, 1.0)
    with pytest.raises(SchemaError) as caught:
        build_arm("combined", material, 0)
    message = str(caught.value)
    assert "2 faults" in message
    assert "1 of 2 are not in the catalogue" in message
    assert "column timestamp" in message
    assert "secret" not in message


def test_no_synthetic_rows_is_said(real):
    with pytest.raises(InputError, match="synthetic rows of events, got none"):
        build_arm("combined", Material(real, (), None, 1.0, 1.0), 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratio": 0.0}, "above 0"),
        ({"weight": float("nan")}, "above 0"),
        ({"table": "images"}, "got images"),
    ],
)
def test_unusable_material_is_refused(change, message, material):
    with pytest.raises(InputError, match=message):
        replace(material, **change)


def test_the_draw_depends_on_the_seed(material):
    first, second = (build_arm("broken_link", material, seed).rows["item_id"] for seed in (1, 2))
    assert not first.equals(second)
