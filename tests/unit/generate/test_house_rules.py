"""What the methods of the house do beyond the protocol: whole rows, no repeats, told progress."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from fakes.listening import RecordingProgress
from fakes.small_options import SMALL_OPTIONS
from shopsynth.generate import make_synthesizer
from shopsynth.privacy import PrivacySettings, open_view
from shopsynth.schema import TIMESTAMP, Dataset, InputError

HOUSE = (
    "markov", "teacher", "substitute", "pseudo_session", "noise",
    "insert", "crop", "reorder", "mask", "reverse_prior", "pattern", "sequence_lm",
    "sequence_vae", "sequence_gan",
)  # fmt: skip
N_ITEMS = 30
ITEMS = pl.DataFrame(
    {
        "item_id": [f"item-{i:02d}" for i in range(N_ITEMS)],
        "title": [f"{('blue', 'red', 'green')[i % 3]} cup number {i}" for i in range(N_ITEMS)],
        "price": [1.0 + i for i in range(N_ITEMS)],
    }
)


def events_of(**extra):
    """A shop whose last five items are cold and in which nobody buys an item twice."""
    random = np.random.Generator(np.random.PCG64(5))
    rows = [
        (
            f"person-{user}",
            f"item-{item:02d}",
            datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=user + place // 2, hours=9),
            f"visit-{user}-{place // 2}",
            "purchase",
            float(1 + place),
            1.0 + int(item),
        )
        for user in range(40)
        for place, item in enumerate(random.permutation(N_ITEMS - 5)[: 1 + user % 9])
    ]
    names = (
        "user_id", "item_id", "timestamp", "session_id", "event_type", "quantity", "price",
    )  # fmt: skip
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(pl.col("timestamp").cast(TIMESTAMP), **extra)


def view_of(events, mode="deidentify"):
    data = Dataset(items=ITEMS, events=events)
    return open_view(data, PrivacySettings(mode=mode), b"a key of sixteen bytes")[0]


def asked(method):
    return make_synthesizer(method, SMALL_OPTIONS.get(method, {}))


@pytest.mark.parametrize("method", HOUSE)
class TestEveryMethodOfTheHouse:
    def test_rows_are_as_whole_as_real_ones(self, method):
        synthesizer = asked(method).fit(view_of(events_of()), seed=1)
        events = synthesizer.sample(50, seed=3).data.need("events")
        assert set(events.columns) == set(events_of().columns)
        assert sum(events.null_count().row(0)) == 0
        assert events["user_id"].str.starts_with(f"synthetic-{method}-").all()

    def test_nobody_repeats_where_nobody_did(self, method):
        synthesizer = asked(method).fit(view_of(events_of()), seed=1)
        events = synthesizer.sample(200, seed=3).data.need("events")
        assert events.select("user_id", "item_id").is_unique().all()

    def test_fit_and_sample_tell_their_progress(self, method):
        heard = RecordingProgress()
        synthesizer = asked(method).fit(view_of(events_of()), seed=1, progress=heard)
        in_fit = heard.steps
        synthesizer.sample(20, seed=1, progress=heard)
        assert 0 < in_fit < heard.steps
        assert heard.steps == sum(total or 0 for _, total in heard.started)

    def test_a_shop_without_events_of_its_catalogue_is_refused(self, method):
        strangers = events_of(item_id=pl.lit("not-in-the-catalogue"))
        with pytest.raises(InputError, match=r"events of catalogue items, got none"):
            asked(method).fit(view_of(strangers), seed=1)

    def test_synthetic_rows_are_no_source(self, method):
        synthesizer = asked(method).fit(view_of(events_of()), seed=1)
        again = synthesizer.sample(50, seed=3).data.need("events")
        with pytest.raises(InputError, match="leave synthetic rows out"):
            asked(method).fit(view_of(again, mode="public"), seed=1)
