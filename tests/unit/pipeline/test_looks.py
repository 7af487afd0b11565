"""The rows of a test part are known again, in whatever order, parts and company."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from shopsynth.pipeline.asked import ROOMS, asked_rows
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.local import InlineExecutor
from shopsynth.pipeline.looks import AskedRows
from shopsynth.pipeline.manifest import Manifest
from shopsynth.pipeline.meter import Cost
from shopsynth.pipeline.store import LocalStore
from shopsynth.pipeline.verbs import Verbs
from shopsynth.schema import SILENT

START = datetime(2026, 1, 1, tzinfo=UTC)


def events(first, last):
    """Events of many users, numbered from ``first`` to ``last``."""
    return pl.DataFrame(
        {
            "user_id": [f"u{n % 97}" for n in range(first, last)],
            "item_id": [f"i{n % 31}" for n in range(first, last)],
            "timestamp": [START + timedelta(hours=n) for n in range(first, last)],
            "price": [float(n) for n in range(first, last)],
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )


@pytest.fixture
def ask(tmp_path):
    """Fingerprint a test part made of some pieces of some tables."""
    store = LocalStore(tmp_path / "store")
    verbs = Verbs("evaluate", ROOMS, InlineExecutor(), store, SILENT)

    def fingerprint(*pieces, **tables):
        job = Job(verbs.task("make", []), store)
        refs = [job.write("test/events", piece, str(n)) for n, piece in enumerate(pieces)]
        refs += [job.write(name.replace("_", "/"), frame) for name, frame in tables.items()]
        job.clean_up()
        split = Manifest("split", "k", {}, {}, tuple(refs), {}, 0, Cost(0, 0, 0), "2026-01-01")
        return asked_rows(split, verbs)

    return fingerprint


def test_order_parts_and_other_columns_do_not_matter(ask):
    rows = events(0, 400)
    whole = ask(rows)
    assert ask(rows.reverse()) == whole
    assert ask(rows[:150], rows[150:].drop("price")) == whole
    assert ask(rows[:399]).sha256 != whole.sha256
    assert (len(whole.sample), whole.whole) == (256, False)


def test_only_answers_count(ask):
    rows = events(0, 10)
    users = pl.DataFrame({"user_id": ["u1", "u2"]})
    assert ask(rows, test_users=users, train_events=events(10, 20)) == ask(rows)
    queries = pl.DataFrame({"query_id": ["q1"], "text": ["mug"]})
    assert ask(rows, test_queries=queries) != ask(rows)


def test_small_tests_are_compared_whole(ask):
    first, second = ask(events(0, 100)), ask(events(75, 125))
    assert first.whole
    assert second.share_read(first) == pytest.approx(0.5)
    assert first.share_read(second) == pytest.approx(0.25)
    assert ask(events(100, 200)).share_read(first) == 0
    assert ask(events(0, 0)).share_read(first) == 0


def test_a_moved_cut_is_the_same_test_and_new_months_are_another(ask):
    first = ask(events(0, 20_000))
    moved = ask(events(600, 20_000))
    assert moved.sha256 != first.sha256
    assert moved.share_read(first) > 0.95
    # Half of the new rows were read before; 256 rows tell it within 4 standard errors.
    assert ask(events(10_000, 30_000)).share_read(first) == pytest.approx(0.5, abs=0.13)
    assert ask(events(10_000, 90_000)).share_read(first) == pytest.approx(0.125, abs=0.09)
    assert ask(events(20_000, 40_000)).share_read(first) == 0


def test_what_nobody_knows_counts_as_read(ask):
    known = ask(events(0, 10))
    assert known.share_read(AskedRows()) == 1
    assert AskedRows().share_read(known) == 1
    assert known.share_read(known) == 1
