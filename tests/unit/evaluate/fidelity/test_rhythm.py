"""Sessions, gaps and the joint of length and rhythm, on histories whose answer is known."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shopsynth.evaluate import measure_fidelity
from shopsynth.evaluate.fidelity.base import Behaviour
from shopsynth.evaluate.fidelity.rhythm import median_gaps, weekdays
from shopsynth.evaluate.histories import Histories, shared_catalogue

JOINT = "history length and rhythm together: total variation (0 is best)"
LENGTH = "history length: Kolmogorov-Smirnov distance (0 is best)"
GAPS = "days between events: Kolmogorov-Smirnov distance (0 is best)"
SESSION_LENGTH = "events of a session: Kolmogorov-Smirnov distance (0 is best)"
WEEKDAY = "day of the week: total variation (0 is best)"
START = datetime(2026, 1, 1, 9, tzinfo=UTC)


def visits(users: dict[str, list[float]], **columns: list[str | None]) -> pl.DataFrame:
    """Events at so many minutes after the start, all of item a."""
    rows = [(u, "a", START + timedelta(minutes=m)) for u, times in users.items() for m in times]
    frame = pl.DataFrame(
        rows,
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "timestamp": pl.Datetime("us", "UTC"),
        },
        orient="row",
    )
    return frame.with_columns(pl.Series(name, cells) for name, cells in columns.items())


def encoded(events: pl.DataFrame, *, session_ids: bool = False) -> Behaviour:
    return Behaviour.encode(events, shared_catalogue([events]), session_ids=session_ids)


def found(train: pl.DataFrame, made: pl.DataFrame) -> dict[str, tuple[float, float]]:
    rows = measure_fidelity(train, train, made).iter_rows()
    return {name: (value, ceiling) for _, name, value, ceiling in rows}


def test_half_an_hour_of_silence_ends_a_session() -> None:
    side = encoded(visits({"u": [0, 29, 59, 60], "v": [60]}))
    assert side.opens.tolist() == [True, False, True, False, True]
    assert side.session.tolist() == [0, 0, 1, 1, 2]


def test_session_ids_are_believed_and_silence_counts_where_one_is_missing() -> None:
    times = {"u": [0.0, 1.0, 500.0, 501.0, 900.0]}
    told = visits(times, session_id=["s", "t", "t", None, None])
    assert encoded(told, session_ids=True).opens.tolist() == [True, True, False, True, True]


def test_without_times_or_session_ids_a_history_is_one_session() -> None:
    events = visits({"u": [0, 1], "v": [0]}).drop("timestamp")
    side = encoded(events.with_columns(pl.Series("position", [0, 1, 0])))
    assert side.opens.tolist() == [True, False, True]


def test_weekdays_start_on_monday(make_events) -> None:
    events = make_events({"u": "a b c"})
    histories = Histories.encode(events, shared_catalogue([events]))
    assert weekdays(histories).tolist() == [3, 4, 5]  # 1 January 2026 was a Thursday
    order = events.drop("timestamp").with_columns(position=pl.int_range(pl.len()))
    assert weekdays(Histories.encode(order, shared_catalogue([order]))).size == 0


def test_the_median_gap_is_the_lower_one_of_two() -> None:
    events = visits({"a": [0, 1, 11, 14, 16], "b": [0, 5], "c": [7]})
    histories = Histories.encode(events, shared_catalogue([events]))
    assert median_gaps(histories).tolist()[:2] == [120, 300]
    assert np.isnan(median_gaps(histories)[2])


@pytest.mark.parametrize("swapped", [False, True])
def test_length_and_rhythm_are_compared_together(swapped: bool) -> None:
    """Long histories are quick and short ones slow; the other way round only the joint sees it.

    Each history is as long as the other's gaps are many: gaps have the same distribution.
    """

    def people(prefix: str, *, turned: bool) -> dict[str, list[float]]:
        quick, slow = 60.0, 600.0
        long, short = (slow, quick) if turned else (quick, slow)
        # One long history has six gaps, six short ones have one each.
        counts = {**{f"l{i}": (7, long) for i in range(60)},
                  **{f"s{i}": (2, short) for i in range(360)}}  # fmt: skip
        return {f"{prefix}{name}": [gap * k for k in range(n)] for name, (n, gap) in counts.items()}

    told = found(visits(people("r", turned=False)), visits(people("m", turned=swapped)))
    assert told[LENGTH][0] < 0.1
    assert told[GAPS][0] < 0.15
    assert (told[JOINT][0] > 0.9) == swapped
    assert told[JOINT][1] < 0.1


def test_the_size_of_sessions_and_the_day_of_the_week_are_figures() -> None:
    real = visits({f"r{i}": [0, 1, 2, 24 * 60 * (1 + i % 6)] for i in range(40)})
    alone = visits({f"m{i}": [0, 24 * 60 * 7, 24 * 60 * 14] for i in range(40)})
    told = found(real, alone)
    assert told[SESSION_LENGTH][0] == pytest.approx(0.5)
    assert told[SESSION_LENGTH][1] == 0
    assert told[WEEKDAY][0] == pytest.approx(0.25, abs=0.01)
    assert WEEKDAY not in found(visits({"r": [0, 1], "s": [2]}), real)
