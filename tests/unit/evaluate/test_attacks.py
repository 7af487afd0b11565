"""The parts of the attacks: chance, ROC curves, risks, canaries, shadows, images."""

import math
import sys
from io import BytesIO

import numpy as np
import polars as pl
import pytest

from fakes.tastes import draw_events, draw_users
from shopsynth.evaluate import (
    SHAREABLE_AUDITS,
    Sides,
    audit_release,
    canary_epsilon,
    plant_canaries,
    score_canaries,
    shadow_scores,
)
from shopsynth.evaluate.attacks.canaries import one_run_epsilon
from shopsynth.evaluate.attacks.chance import Found, copy_row, draw
from shopsynth.evaluate.attacks.images import difference_hash, near_duplicate_images
from shopsynth.evaluate.attacks.membership import (
    Scores,
    _auc_row,
    largest_auc,
    membership_rows,
)
from shopsynth.evaluate.attacks.nearest import best_jaccard, item_sets, most_shared
from shopsynth.evaluate.attacks.outliers import Tail, isolated_histories, outlier_row
from shopsynth.evaluate.attacks.people import People
from shopsynth.evaluate.attacks.ratio import density_ratio
from shopsynth.evaluate.attacks.risk import Successes, excess_row
from shopsynth.evaluate.attacks.roc import auc, paired_auc, top_count, top_rate_low
from shopsynth.evaluate.attacks.rows import Rows, agreement, most_agreed
from shopsynth.evaluate.attacks.singling_out import single_out
from shopsynth.evaluate.attacks.texts import copied_texts, extracted
from shopsynth.schema import InputError, MissingExtraError, SourceError


def attacked(tables, **more) -> pl.DataFrame:
    train, heldout, made = tables
    return audit_release(train, heldout, made, "dp", **more)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


# ---- chance --------------------------------------------------------------------------------------


def test_drift_that_a_standin_shows_is_no_leak():
    """Train people are found twice as often, in other people's rows as well."""
    leaked = Found(60, 30, 0, 0, 1_000, 1_000)
    drifted = Found(60, 30, 58, 29, 1_000, 1_000)
    assert leaked.p_value() < 0.001
    assert drifted.p_value() > 0.3


@pytest.mark.parametrize("found", [Found(0, 0, 0, 0, 0, 0), Found(5, 0, 0, 0, 10, 0)])
def test_what_had_nothing_to_compare_with_was_not_measured(found):
    _, value, threshold, passed, told = copy_row("x", found, 0.001, "texts", "")
    assert math.isnan(value)
    assert (threshold, passed) == (None, True)
    assert f"0 of {found.n_heldout} held-out texts" in told


def test_the_fewest_copies_are_the_first_that_fail():
    found = Found(0, 3, 1, 1, 500, 400)
    fewest = found.fewest(0.001)
    assert fewest is not None
    row = copy_row("x", Found(fewest, 3, 1, 1, 500, 400), 0.001, "things", "")
    less = copy_row("x", Found(fewest - 1, 3, 1, 1, 500, 400), 0.001, "things", "")
    assert (row[3], less[3]) == (False, True)


def test_draws_are_repeated_and_sorted():
    assert draw(3, 5, "a").tolist() == [0, 1, 2]
    once = draw(1_000, 10, "a")
    assert once.tolist() == sorted(once) == draw(1_000, 10, "a").tolist()
    assert once.tolist() != draw(1_000, 10, "b").tolist()


# ---- neighbours ----------------------------------------------------------------------------------


def test_a_row_is_not_its_own_neighbour(make_events):
    people = People.encode(
        Sides(*(make_events({f"{p}1": "a b c", f"{p}2": "a b d e"}) for p in "rhs"))
    )
    sets = item_sets(people.train)
    assert most_shared(sets, sets).tolist() == [3, 4]
    assert most_shared(sets, sets, np.array([0, 1])).tolist() == [2, 2]
    assert best_jaccard(sets, sets, np.array([0, -1])).tolist() == pytest.approx([0.4, 1.0])
    assert most_shared(sets, sets[:0]).tolist() == [0, 0]


def test_rows_agree_by_columns():
    rows = np.array([[1, 2, 3], [1, 5, 3]])
    assert agreement(rows, rows, [0, 1]).tolist() == [[2, 1], [1, 2]]
    assert most_agreed(rows, rows, np.array([0, 1])).tolist() == [2, 2]
    assert most_agreed(rows, rows[:0]).tolist() == [0, 0]


def test_only_shared_columns_that_are_no_ids_are_attributes():
    table = pl.DataFrame({"user_id": ["a", "b"], "age": [1, None], "own": [1, 2]})
    rows = Rows.encode(Sides(table, table, table.drop("own")))
    assert rows.names == ("age",)
    assert rows.train.tolist() == [[1], [0]]


# ---- ROC curves ----------------------------------------------------------------------------------


def test_the_error_of_an_area_is_that_of_repetition():
    random = generator()
    draws = [
        paired_auc(*[(random.normal(0.3, 1, 200), random.normal(0, 1, 150)) for _ in range(2)])
        for _ in range(200)
    ]
    areas, errors, differences = np.array(draws).T
    assert errors.mean() == pytest.approx(areas.std(), rel=0.15)
    assert differences.mean() == pytest.approx(errors.mean() * np.sqrt(2), rel=0.1)


def test_the_same_attack_twice_differs_by_nothing():
    members, others = np.arange(50.0), np.arange(50.0)
    area, error, difference = paired_auc((members, others), (members, others))
    assert area == auc(members, others) == pytest.approx(0.5)
    assert difference < error / 2


def test_the_left_end_is_bounded_from_below():
    """Under chance the bound is above 1 in about 5 % of draws; of a leak it is close."""
    random = generator(1)
    above = 0
    for _ in range(200):
        members, others = random.random(1_000), random.random(2_000)
        hits = top_count(members, others, 2)
        above += top_rate_low(hits, 1_000, 2, 2_000, 0.05) > 1
    assert 2 <= above <= 20
    assert top_rate_low(500, 1_000, 2, 2_000, 0.05) > 100
    assert top_rate_low(0, 1_000, 2, 2_000, 0.05) == 0
    assert top_count(np.array([1.0, 2.0]), np.array([0.0]), 1) == 2


def test_the_best_attack_on_gaussian_dp():
    """PRIVACY §1: μ = .648 has AUC .677, 1.53 has .861."""
    assert [round(largest_auc(mu), 2) for mu in (0.648, 1.53)] == [0.68, 0.86]


def test_a_release_of_its_members_is_caught_by_membership():
    train, heldout = draw_events(3, 1_200, "r"), draw_events(3, 1_200, "h")
    copied = train.with_columns(pl.format("s{}", "user_id").alias("user_id"))
    people = People.encode(Sides(train, heldout, copied))
    rows = {row[0]: row for row in membership_rows(people, 0.001, mu=0.05)}
    assert rows["membership_distance_auc"][2] == largest_auc(0.05) < 0.53
    assert not rows["membership_distance_auc"][3]
    assert not rows["membership_local_auc"][3]
    assert not rows["membership_tpr_at_0.1_percent_fpr"][3]


@pytest.mark.parametrize(("n", "can_fail"), [(12, False), (200, True)])
def test_an_area_that_no_attack_on_so_few_could_exceed_is_no_gate(n, can_fail):
    apart = Scores(np.ones(n), np.zeros(n), *generator(1).uniform(size=(2, n)))
    _, value, threshold, passed, power = _auc_row("distance", apart, 0.53, 0.01 / 13)
    assert (value > 0.53, threshold == 0.53, passed) == (can_fail, can_fail, not can_fail)
    assert (threshold is None) != can_fail
    assert ("cannot fail" in power) != can_fail


def test_a_classifier_tells_a_crowd_from_others(make_events):
    crowd = {f"s{n}": f"x{n % 4} y{n % 3}" for n in range(80)}
    others = {f"r{n}": f"a{n % 4} b{n % 3}" for n in range(80)}
    people = People.encode(Sides(*(make_events(each) for each in (others, others, crowd))))
    train, _, made = people.sets
    judged = density_ratio(made, train, [made, train])
    assert judged[0].mean() > 0 > judged[1].mean()
    assert density_ratio(made[:0], train, [train])[0].tolist() == [0.0] * 80


# ---- risks ---------------------------------------------------------------------------------------


def one(targets: int, controls: int, n: int = 4_000) -> Successes:
    return Successes(targets, controls, n, n)


def test_a_risk_fails_only_if_it_is_large_and_no_chance():
    season, few = one(400, 400), Successes(3, 0, 40, 40)
    cases = {
        "small": (one(430, 400), season, 0.05, True),
        "large": (one(1_000, 400), season, 0.05, False),
        "season": (one(1_000, 400), one(1_000, 400), None, True),
        "few": (few, one(400, 400), None, True),
    }
    for name, (release, standin, threshold, passed) in cases.items():
        row = excess_row("risk", {name: (release, standin)}, 0.001)
        assert (row[2], row[3]) == (threshold, passed), name
    assert excess_row("risk", {"none": (one(0, 0, 3), season)}, 0.001)[2] is None
    hidden = excess_row("risk", {"few": (few, season), "all": (one(410, 400), season)}, 0.001)
    assert hidden[2] == 0.05
    assert "1 forms with few guesses" in hidden[4]


def test_copied_user_rows_are_singled_out_linked_and_inferred():
    train, heldout = (draw_users(2, 3_000, who) for who in "rh")
    nobody = [draw_events(2, 10, who)[:0] for who in "rhs"]
    found = attacked(nobody, users=Sides(train, heldout, train))
    failed = set(found.filter(~pl.col("passed"))["name"])
    assert {
        "exact_copies_of_user_rows",
        "copies_of_k_of_n_user_columns",
        "singling_out_of_user_rows",
        "linkability_of_user_rows",
        "inference_of_user_rows",
    } <= failed


def test_one_column_gives_no_pairs_to_link_or_infer():
    table = pl.DataFrame(
        {"user_id": [str(n) for n in range(50)], "age": [n % 7 for n in range(50)]}
    )
    asked = Rows.encode(Sides(table, table, table)).sampled
    assert single_out(asked)["several columns"][0].n_targets == 0
    nobody = [draw_events(2, 10, who)[:0] for who in "rhs"]
    found = attacked(nobody, users=Sides(table, table, table))
    rows = {row["name"]: row for row in found.iter_rows(named=True)}
    assert rows["inference_of_user_rows"]["threshold"] is None
    assert "copies_of_k_of_n_user_columns" not in rows


# ---- texts ---------------------------------------------------------------------------------------


def test_phrases_of_many_are_no_copies_and_short_texts_are_not_asked():
    phrase = "thank you so much for this it came in time and works very well indeed"
    train = pl.DataFrame({"text": [*(f"{phrase} {n}" for n in range(5)), "too short", None]})
    heldout = pl.DataFrame({"text": [f"{phrase} h{n}" for n in range(5)]})
    found = copied_texts(Sides(train, heldout, train))
    assert found.train == found.n_train <= 5
    assert found.heldout == 0


def test_hanzi_are_counted_one_by_one_whatever_stands_between():
    original = "".join(chr(0x4E00 + 7 * n) for n in range(24))
    spaced = " ".join(original[2:])
    train = pl.DataFrame({"text": [original]})
    heldout = pl.DataFrame({"text": [original[::-1]]})
    found = copied_texts(Sides(train, heldout, pl.DataFrame({"text": [spaced]})))
    assert (found.train, found.heldout) == (1, 0)
    cut = pl.DataFrame({"text": [original[:19]]})
    assert copied_texts(Sides(train, heldout, cut)).train == 0


def test_canary_texts_are_found_in_full_width_and_in_long_runs():
    long = " ".join(f"w{n}" for n in range(16))
    planted = pl.Series(["secret 4711 owl", long, "other 0815 fox"])
    assert extracted(planted, pl.Series(["ｓｅｃｒｅｔ  ４７１１ owl!"])) == 1
    assert extracted(planted, pl.Series([" ".join(long.split()[1:14])])) == 1
    assert extracted(planted, pl.Series(["secret 4712 owl"])) == 0
    assert extracted(planted, pl.Series([], dtype=pl.String)) == 0


# ---- canaries ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered_by", ["timestamp", "position"])
def test_canaries_are_valid_histories_and_each_has_its_coin(ordered_by):
    events = draw_events(1, 300, "r").with_columns(
        pl.lit("purchase").alias("event_type"), pl.lit("x").alias("session_id")
    )
    if ordered_by == "position":
        place = pl.int_range(pl.len()).over("user_id").alias("position")
        events = events.with_columns(place).drop("timestamp")
    planted, canaries = plant_canaries(events, 400, seed=5)
    assert planted.schema == events.schema
    assert planted.height == events.height + canaries.inserted.height
    n_in, n_out = (each["user_id"].n_unique() for each in (canaries.inserted, canaries.kept_out))
    assert n_in + n_out == 400
    assert 150 < n_in < 250
    both = pl.concat([canaries.inserted, canaries.kept_out])
    assert both["item_id"].is_in(events["item_id"].unique().implode()).all()
    assert both.group_by("user_id").len()["len"].is_between(5, 20).all()
    assert both[ordered_by].max() <= max(
        events[ordered_by].max(), 19 if ordered_by != "timestamp" else events[ordered_by].max()
    )
    sorted_within = both.sort("user_id", ordered_by)
    steps = sorted_within.select(pl.col(ordered_by).diff().over("user_id")).to_series().drop_nulls()
    assert (steps.to_physical() >= 0).all()
    again, _ = plant_canaries(events, 400, seed=5)
    assert again.equals(planted)


def test_canaries_show_a_perfect_leak_up_to_the_power_and_a_clean_release_nothing():
    events = draw_events(1, 300, "r")
    planted, canaries = plant_canaries(events, 200, seed=2)
    leaky = canary_epsilon(*score_canaries(canaries, planted), delta=1e-6)
    assert leaky.epsilon > 3.2
    assert leaky.epsilon > leaky.cannot_detect_above - 0.7
    clean = canary_epsilon(*score_canaries(canaries, events), delta=1e-6)
    assert clean.epsilon < 0.5
    nobody = canary_epsilon(*score_canaries(canaries, events[:0]), delta=1e-6)
    assert nobody.epsilon < 0.5


@pytest.mark.parametrize(
    ("n", "clopper_pearson"), [(50, 1.7), (100, 2.5), (200, 3.2), (500, 4.1), (1_000, 4.75)]
)
def test_a_perfect_leak_shows_as_much_as_is_printed(n, clopper_pearson):
    """PRIVACY §6 has what the textbook bound shows; the one for one run shows more."""
    found = canary_epsilon(np.ones(n // 2), np.zeros(n // 2), delta=1e-6)
    rate = 0.0125 ** (1 / (n // 2))
    assert np.log(rate / (1 - rate)) == pytest.approx(clopper_pearson, abs=0.12)
    assert found.epsilon == found.cannot_detect_above
    assert clopper_pearson < found.epsilon < clopper_pearson + 1


def test_the_bound_holds_for_randomised_response():
    """Whoever tells each coin rightly with odds e to one has ε = 1."""
    random, above = generator(4), 0
    for _ in range(40):
        coin = random.random(300) < 0.5
        told = np.where(random.random(300) < np.e / (1 + np.e), coin, ~coin)
        scores = told + random.random(300) / 2
        above += canary_epsilon(scores[coin], scores[~coin], delta=0.0).epsilon > 1
    assert above <= 5


def test_the_bound_inverts_a_binomial_tail_and_delta_weakens_it():
    """Without δ, all of n guesses right refute every ε with (e^ε / (1 + e^ε))^n ≤ p."""
    rate = 0.05 ** (1 / 100)
    assert one_run_epsilon(100, 100, 100, 0.0, 0.05) == pytest.approx(np.log(rate / (1 - rate)))
    assert one_run_epsilon(100, 100, 100, 1e-3, 0.05) < one_run_epsilon(100, 100, 100, 0.0, 0.05)
    assert one_run_epsilon(100, 50, 100, 0.0, 0.05) == 0.0


def test_wrong_canaries_are_refused():
    events = draw_events(1, 10, "r")
    with pytest.raises(InputError, match="at least 1 canary"):
        plant_canaries(events, 0)
    with pytest.raises(InputError, match="expected events"):
        plant_canaries(events[:0])
    for scores, delta, confidence in (([], 0.0, 0.95), ([1.0], 1.0, 0.95), ([1.0], 0.0, 1.0)):
        with pytest.raises(InputError, match="canary_epsilon"):
            canary_epsilon(np.array(scores), np.array([]), delta, confidence)


# ---- shadows -------------------------------------------------------------------------------------


def test_shadows_find_who_is_copied_now_and_then():
    events = draw_events(1, 120, "r")
    people = events["user_id"].unique().sort()

    def refit(part: pl.DataFrame, seed: int) -> pl.DataFrame:
        users = part["user_id"].unique().sort()
        kept = users.sample(users.len() // 2, seed=seed)
        return part.filter(pl.col("user_id").is_in(kept.implode()))

    read = people[:60]
    release = refit(events.filter(pl.col("user_id").is_in(read.implode())), 7)
    scores = shadow_scores(events, refit, people, release, n_shadows=8)
    assert auc(scores[:60], scores[60:]) > 0.65
    with pytest.raises(InputError, match="at least 4 shadows"):
        shadow_scores(events, refit, people, release, n_shadows=2)
    with pytest.raises(InputError, match="1 targets without events"):
        shadow_scores(events, refit, pl.Series(["nobody"]), release)


# ---- images --------------------------------------------------------------------------------------


def picture(seed: int, size: int = 64, kind: str = "PNG") -> bytes:
    from PIL import Image

    small = generator(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC)
    stream = BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def test_scaled_and_re_encoded_pictures_are_near_duplicates(tmp_path):
    pytest.importorskip("PIL")
    near = difference_hash(picture(1)) ^ difference_hash(picture(1, 200, "JPEG"))
    far = difference_hash(picture(1)) ^ difference_hash(picture(2))
    assert near.bit_count() <= 5 < 15 < far.bit_count()
    path = tmp_path / "one.png"
    path.write_bytes(picture(1))
    assert difference_hash(str(path)) == difference_hash(picture(1))
    with pytest.raises(SourceError, match="expected a picture"):
        difference_hash(b"none")
    nothing = pl.DataFrame({"image": []}, schema={"image": pl.Binary})
    one = pl.DataFrame({"image": [picture(1)]})
    assert near_duplicate_images(Sides(one, one, nothing)).train == 0


def test_pillow_is_asked_for_by_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"shopsynth\[images\]"):
        difference_hash(b"any")


def test_a_tail_needs_people_that_differ():
    assert Tail.fit(np.full(10, 2.0), np.ones(10)) is None
    assert Tail.fit(np.full(200, 2.0), np.ones(200)) is None
    assert Tail.fit(np.linspace(10, 20, 200), np.full(200, 3.0)) is None
    random = generator(5)
    told = random.uniform(50, 90, 2_000)
    tail = Tail.fit(told, 10 + random.exponential(2, 2_000))
    assert tail is not None
    assert tail.p_largest(1.0, 100) == 1.0
    assert tail.p_largest(tail.ratio_at(0.001, 100), 100) == pytest.approx(0.001)


@pytest.mark.parametrize(("level", "can_fail"), [(1e-3, True), (1e-30, False)])
def test_an_outlier_that_even_a_copy_would_not_show_is_no_gate(level, can_fail):
    train, heldout = draw_events(3, 400, "r"), draw_events(3, 400, "h")
    copied = train.with_columns(pl.format("s{}", "user_id").alias("user_id"))
    people = People.encode(Sides(train, heldout, copied))
    row = outlier_row("any", people, isolated_histories(people), level, "")
    assert (row[2], row[3]) == ((level, False) if can_fail else (None, True))
    assert ("cannot fail" in row[4]) != can_fail


def test_outliers_of_too_few_people_are_not_measured():
    people = People.encode(Sides(*(draw_events(3, 2, who) for who in "rhs")))
    _, value, threshold, passed, _ = outlier_row(
        "any", people, isolated_histories(people), 1e-3, ""
    )
    assert math.isnan(value)
    assert (threshold, passed) == (None, True)


def test_images_of_train_in_the_release_fail_the_gate():
    pytest.importorskip("PIL")
    train, heldout, made = ([picture(first + n) for n in range(40)] for first in (0, 1_000, 2_000))
    leaky = made[:20] + [picture(n, 100, "JPEG") for n in range(20)]
    tables = [pl.DataFrame({"image": each}) for each in (train, heldout, made, leaky)]
    assert near_duplicate_images(Sides(*tables[:3])).train == 0
    nobody = [draw_events(2, 10, who)[:0] for who in "rhs"]
    found = attacked(nobody, images=Sides(tables[0], tables[1], tables[3]))
    assert found.filter(~pl.col("passed"))["name"].to_list() == ["near_duplicate_images"]


# ---- the one entry point -------------------------------------------------------------------------


def test_findings_of_a_scan_become_gates():
    nobody = [draw_events(2, 10, who)[:0] for who in "rhs"]
    findings = pl.DataFrame(
        {
            "table": ["reviews", "reviews", "users"],
            "column": ["text", "text", "note"],
            "kind": ["phone", "input_identifier", "email"],
            "rows": [3, 0, 0],
        }
    )
    found = attacked(nobody, pii_findings=findings)
    rows = {row["name"]: row for row in found.iter_rows(named=True)}
    assert rows["pii_input_identifiers"]["passed"]
    assert not rows["pii_valid_identifiers"]["passed"]
    assert rows["pii_valid_identifiers"]["value"] == 3
    assert "reviews.text: phone" in str(rows["pii_valid_identifiers"]["power"])
    with pytest.raises(InputError, match="missing kind, rows"):
        attacked(nobody, pii_findings=findings.drop("kind", "rows"))


def test_canaries_are_judged_by_what_is_claimed():
    events = draw_events(1, 200, "r")
    planted, canaries = plant_canaries(events, 100, seed=1)
    outcomes = {}
    for mode, epsilon in (("dp", 1.0), ("dp", 8.0), ("deidentify", 8.0)):
        found = audit_release(
            planted, events[:0], planted, mode, canaries=canaries, epsilon=epsilon, delta=1e-6
        )
        row = found.filter(name="canary_epsilon").row(0, named=True)
        outcomes[mode, epsilon] = row["threshold"], row["passed"]
        assert "cannot detect above" in row["power"]
    assert outcomes == {
        ("dp", 1.0): (1.0, False),
        ("dp", 8.0): (None, True),
        ("deidentify", 8.0): (0.5, False),
    }


def test_every_audit_of_real_people_is_for_the_controller_alone():
    events = [draw_events(2, 60, who) for who in "rhs"]
    users = Sides(*(draw_users(2, 60, who) for who in "rhs"))
    texts = Sides(*(pl.DataFrame({"text": ["a b c"]}) for _ in range(3)))
    none = pl.DataFrame(schema={"table": str, "column": str, "kind": str, "rows": int})
    _, canaries = plant_canaries(events[0], 20)
    found = attacked(
        events, users=users, texts=texts, canary_texts=pl.Series(["x y"]),
        pii_findings=none, canaries=canaries,
    )  # fmt: skip
    told = set(found["name"])
    assert told & SHAREABLE_AUDITS == {"canary_epsilon", "canary_texts_extracted"}
    assert told >= SHAREABLE_AUDITS, "an allowed audit that no run makes"


def test_a_shop_without_anybody_fails_nothing():
    nobody = [draw_events(2, 10, who)[:0] for who in "rhs"]
    found = attacked(nobody, users=Sides(*(draw_users(2, 2, w)[:0] for w in "rhs")))
    assert found["passed"].all()
    assert found["threshold"].drop_nulls().len() == 0
