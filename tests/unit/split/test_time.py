"""time: cuts near the wanted shares, never through a minute, never an empty part."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from shopsynth.schema import TIMESTAMP, EmptyDataError, RecipeError, SchemaError
from shopsynth.split import (
    SplitSettings,
    TimeCuts,
    assign_parts,
    count_times,
    find_cuts,
    merge_counts,
)

START = datetime(2030, 1, 1, tzinfo=UTC)


def events_at(minutes: list[float], user: str = "u") -> pl.DataFrame:
    times = [START + timedelta(minutes=minute) for minute in minutes]
    return pl.DataFrame(
        {
            "user_id": [user] * len(times),
            "item_id": ["a"] * len(times),
            "timestamp": pl.Series(times, dtype=TIMESTAMP),
        }
    )


def parts(events: pl.DataFrame, settings: SplitSettings) -> list[str]:
    cuts = find_cuts(count_times(events), settings)
    return assign_parts(events, settings, cuts)["part"].to_list()


def test_minutes_are_counted() -> None:
    counts = count_times(events_at([2, 0.1, 0.9, 2.5]))
    assert counts.rows() == [(START, 2), (START + timedelta(minutes=2), 2)]


def test_counts_of_parts_merge_to_the_counts_of_the_whole() -> None:
    minutes = [5.0, 1.0, 5.5, 9.0, 1.2]
    apart = [count_times(events_at(minutes[:2])), count_times(events_at(minutes[2:]))]
    assert merge_counts(apart).equals(count_times(events_at(minutes)))


def test_the_shares_are_met_where_times_allow_it() -> None:
    assigned = parts(events_at(list(range(100))), SplitSettings(validation=0.1, test=0.2))
    assert assigned == ["train"] * 70 + ["validation"] * 10 + ["test"] * 20


def test_row_order_does_not_matter_and_is_kept() -> None:
    assigned = parts(events_at([9, 0, 5, 1, 2, 3, 4, 6, 7, 8]), SplitSettings())
    assert assigned == ["test"] + ["train"] * 8 + ["validation"]


def test_a_basket_is_not_torn() -> None:
    # The last basket holds 40 % of the events: more than wanted, but it stays whole.
    minutes = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.1, 6.2, 6.3, 6.4]
    assigned = parts(events_at(minutes), SplitSettings())
    assert assigned == ["train"] * 5 + ["validation"] + ["test"] * 4


def test_the_nearest_cut_wins() -> None:
    # Test may hold 3 or 1 of 20 events; 0.1 is 2 of 20, so both are as near: the larger one.
    minutes = [float(minute) for minute in range(17)] + [50.0, 50.1, 99.0]
    assert parts(events_at(minutes), SplitSettings(test=0.1)).count("test") == 3
    assert parts(events_at(minutes), SplitSettings(test=0.06)).count("test") == 1


def test_three_minutes_are_just_enough() -> None:
    assert parts(events_at([0, 1, 2]), SplitSettings()) == ["train", "validation", "test"]


@pytest.mark.parametrize("minutes", [[], [0.0], [0.0, 0.5, 0.9], [0.0, 1.0, 1.0]])
def test_too_few_moments_are_refused_with_advice(minutes: list[float]) -> None:
    with pytest.raises(EmptyDataError) as caught:
        find_cuts(count_times(events_at(minutes)), SplitSettings())
    assert str(caught.value) == (
        f"split by time: expected rows in every part, got train {len(minutes)}, validation 0, "
        "test 0. What to do: give events of at least three different minutes, raise validation "
        'and test under [split], or choose by = "leave_one_out".'
    )


def test_positions_alone_cannot_be_cut_by_time() -> None:
    events = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "position": [1]})
    with pytest.raises(SchemaError, match=r"got only position.*leave_one_out"):
        count_times(events)


def test_cuts_must_be_those_of_the_whole_shop() -> None:
    with pytest.raises(SchemaError, match="expected the cuts of the whole shop, got none"):
        assign_parts(events_at([0, 1, 2]), SplitSettings())


def test_an_event_at_a_cut_is_in_the_later_part() -> None:
    cuts = TimeCuts(START + timedelta(minutes=1), START + timedelta(minutes=2))
    assigned = assign_parts(events_at([0.99, 1, 1.99, 2]), SplitSettings(), cuts)
    assert assigned["part"].to_list() == ["train", "validation", "validation", "test"]


def test_an_attribute_named_part_is_refused() -> None:
    cuts = TimeCuts(START, START)
    with pytest.raises(SchemaError, match="expected no column part"):
        assign_parts(events_at([1]).with_columns(part=pl.lit("bolt")), SplitSettings(), cuts)


DATES = {"validation_from": "2030-01-01T00:07:00", "test_from": "2030-01-01T00:09:00Z"}


def test_declared_dates_are_the_cuts_whatever_the_rows_say() -> None:
    settings = SplitSettings.parse(DATES, "split")
    assigned = parts(events_at(list(range(10))), settings)
    assert assigned == ["train"] * 7 + ["validation"] * 2 + ["test"]
    crowded = parts(events_at([*range(10), *[8.0] * 90]), settings)
    assert crowded.count("validation") == 92
    assert settings.has_public_cuts


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"validation_from": "2030-01-01"}, "expected both"),
        ({**DATES, "by": "leave_one_out"}, 'with by = "time"'),
        ({**DATES, "test_from": "2030-01-01T00:07:00Z"}, "a moment before test_from"),
    ],
)
def test_half_a_declaration_is_none(block: dict[str, str], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        SplitSettings.parse(block, "split")


def test_shares_are_no_public_cuts() -> None:
    assert not SplitSettings().has_public_cuts
    assert SplitSettings(by="leave_one_out").has_public_cuts
    assert SplitSettings(by="review").has_public_cuts
    assert not SplitSettings(by="query").has_public_cuts
