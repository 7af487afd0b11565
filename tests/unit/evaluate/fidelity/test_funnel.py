"""Conversion, and steps that come before their time, counted by hand."""

import polars as pl
import pytest

from shopsynth.evaluate import measure_fidelity

BY_SESSION = "conversion within a session: sum of differences of rates (0 is best)"
BY_ITEM = "conversion of a user with an item: sum of differences of rates (0 is best)"
OUT_OF_ORDER = "funnel steps out of order: sum of differences of rates (0 is best)"
COUNT = (
    "events out of an order that real data never break: count (0 is best; ceiling: half of train "
    "by the order of the other half)"
)
WORDS = {"v": "view_item", "c": "add_to_cart", "p": "purchase", "r": "refund", "s": "search"}


def clicks(**users: str) -> pl.DataFrame:
    """``"va pa"`` is a view and a purchase of a; ``/`` opens a session, ``+`` is no later."""
    rows: list[tuple[str, str, int, str, str]] = []
    for user, told in users.items():
        session, moment = 0, 0
        for word in told.split():
            session += word == "/"
            if word == "/":
                continue
            moment += not word.startswith("+")
            step, item = tuple(word.removeprefix("+"))
            rows.append((user, item, moment, f"{user}-{session}", WORDS[step]))
    return (
        pl.DataFrame(
            rows, schema=["user_id", "item_id", "time", "session_id", "event_type"], orient="row"
        )
        .with_columns(timestamp=pl.from_epoch("time", "s").cast(pl.Datetime("us", "UTC")))
        .drop("time")
    )


def figures(real: pl.DataFrame, made: pl.DataFrame) -> dict[str, tuple[float, float]]:
    rows = measure_fidelity(real, real, made).iter_rows()
    return {name: (value, ceiling) for _, name, value, ceiling in rows}


def same(n: int, prefix: str, told: str) -> pl.DataFrame:
    return clicks(**{f"{prefix}{i}": told for i in range(n)})


def test_equal_funnels_are_equal() -> None:
    found = figures(same(4, "r", "va ca pa / vb"), same(4, "m", "vb cb pb / va"))
    assert found[BY_SESSION] == found[BY_ITEM] == found[OUT_OF_ORDER] == found[COUNT] == (0, 0)


def test_conversion_is_told_by_session_and_by_item() -> None:
    """Real: half of sessions and of items with a view come to a cart, each of those to a purchase.

    Synthetic: the cart comes a session later, and nothing is bought.
    """
    found = figures(same(4, "r", "va ca pa / vb"), same(4, "m", "va / ca / vb"))
    # Sessions: views 1 and 2/3, view to cart .5 and 0, cart to purchase 1 and 0.
    assert found[BY_SESSION] == pytest.approx((1 / 3 + 0.5 + 1, 0))
    # Items: views 1 and 1, view to cart .5 and .5, cart to purchase 1 and 0.
    assert found[BY_ITEM] == pytest.approx((1, 0))


def test_a_step_that_real_data_lack_is_no_part_of_the_funnel() -> None:
    """Without carts the way goes from views to purchases; other types do not count."""
    found = figures(same(4, "r", "va sa pa / vb"), same(4, "m", "va pa / va pa"))
    assert found[BY_SESSION] == pytest.approx((0.5, 0))
    assert OUT_OF_ORDER in found


def test_steps_before_their_time_are_counted_in_all_synthetic_events() -> None:
    """Early are a's purchase before its cart, and b's refund before everything, in each of 40."""
    real = same(4, "r", "va ca pa ra")
    found = figures(real, same(40, "m", "va pa ca rb vb cb pb"))
    assert found[COUNT] == (40 + 3 * 40, 0)
    # Of pairs (cart, purchase) half break it; the refunds break theirs with all three steps.
    assert found[OUT_OF_ORDER] == pytest.approx((0.5 + 3, 0))


def test_what_real_data_break_too_is_no_violation() -> None:
    """People buy unseen here; only the refund without a purchase is against the rule."""
    real = same(4, "r", "va pb pa rb")
    found = figures(real, same(2, "m", "pa va rb"))
    assert found[COUNT] == (2, 0)


def test_events_of_one_moment_have_no_order() -> None:
    real = same(4, "r", "va pa")
    assert figures(real, same(4, "m", "pa +va"))[COUNT] == (0, 0)
    assert figures(real, same(4, "m", "pa va"))[COUNT] == (4, 0)


def test_another_user_or_item_does_not_count_as_the_step_before() -> None:
    real = same(4, "r", "va pa")
    assert figures(real, clicks(m1="va", m2="pa", m3="va pb"))[COUNT] == (2, 0)


def test_halves_that_disagree_are_the_ceiling() -> None:
    """One of two people buys unseen: by the other's order that is a violation, or none."""
    real = clicks(r1="va pa", r2="pa va")
    found = figures(real, same(3, "m", "pa va"))
    assert found[COUNT][0] == 0
    assert found[COUNT][1] in (0, 1)
    assert found[OUT_OF_ORDER][1] == 1


def test_an_order_of_rows_serves_where_there_are_no_times() -> None:
    events = same(4, "r", "va pa").with_columns(
        position=pl.int_range(pl.len()).over("user_id")
    ).drop("timestamp")  # fmt: skip
    turned = events.with_columns(position=1 - pl.col("position"))
    assert figures(events, turned)[COUNT] == (4, 0)


@pytest.mark.parametrize("told", ["va vb", "sa sb"])
def test_fewer_than_two_steps_are_no_funnel(told: str) -> None:
    events = same(4, "r", told)
    assert not {BY_SESSION, BY_ITEM, OUT_OF_ORDER, COUNT} & set(figures(events, events))
    typed = same(4, "r", "va pa")
    assert BY_ITEM not in figures(typed, typed.drop("event_type"))


def test_synthetic_events_without_any_step_are_as_far_as_can_be() -> None:
    found = figures(same(4, "r", "va pa"), same(4, "m", "sa sa"))
    assert found[BY_ITEM] == (2, 0)
    assert found[COUNT] == (0, 0)
