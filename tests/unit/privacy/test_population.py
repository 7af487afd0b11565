"""A sketch of a population: changed rows of the same people are known again, others are not."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shopsynth.privacy.charges import Charge
from shopsynth.privacy.ledger import Ledger
from shopsynth.privacy.population import SAME_PEOPLE, share_in_common, sketch_population
from shopsynth.schema import Dataset, PrivacyError

KEY = b"a key of sixteen bytes"
START = datetime(2030, 1, 1, tzinfo=UTC)


def shop(first, last, timed=True):
    random = np.random.Generator(np.random.PCG64(7))
    rows = []
    for user in range(last):
        for place, item in enumerate(random.integers(0, 500, 5)):
            time = START + timedelta(minutes=int(random.integers(1_000_000)))
            rows.append((f"{user * 7919 % 100_003:06d}", f"i{item}", time, place))
    events = pl.DataFrame(
        rows, schema=["user_id", "item_id", "timestamp", "position"], orient="row"
    ).filter(pl.int_range(pl.len()) >= 5 * first)
    events = events.drop("position" if timed else "timestamp")
    return Dataset(items=events.select("item_id").unique(maintain_order=True), events=events)


def test_the_order_of_rows_does_not_matter():
    data = shop(0, 300)
    turned = data.with_tables(events=data.need("events").reverse())
    assert sketch_population(turned) == sketch_population(data)
    assert len(sketch_population(data)) == 256


@pytest.mark.parametrize("timed", [True, False])
def test_people_are_known_again_after_a_refresh_and_strangers_are_not(timed):
    then, refreshed, others = shop(0, 400, timed), shop(0, 500, timed), shop(500, 900, timed)
    known = sketch_population(then)
    assert share_in_common(known, sketch_population(refreshed)) > 0.5
    assert share_in_common(known, sketch_population(others)) < SAME_PEOPLE
    changed = then.with_tables(events=then.need("events").filter(pl.int_range(pl.len()) % 3 > 0))
    assert share_in_common(known, sketch_population(changed)) > 0.4


def test_a_shop_without_events_has_an_empty_sketch():
    assert sketch_population(Dataset(items=pl.DataFrame({"item_id": ["a"]}))) == ()


def open_source(folder, name):
    return Ledger.open(
        folder / "ledger", source=name, key=KEY, budget="standard", delta=1e-6,
        heads=folder / "heads",
    )  # fmt: skip


def spend(ledger, data, fingerprint):
    return ledger.reserve(
        [Charge("counts", "gaussian", 20.0)],
        fingerprint=fingerprint,
        run_epsilon=1.0,
        run_delta=1e-6,
        actor="test",
        population=sketch_population(data),
    )


def test_a_new_name_and_a_changed_row_are_no_new_budget(tmp_path):
    first = open_source(tmp_path, "shop")
    spend(first, shop(0, 400), "bytes one")
    spend(first, shop(0, 500), "bytes two")
    renamed = open_source(tmp_path, "another name")
    with pytest.raises(PrivacyError, match="a new name is no new budget"):
        renamed.check_owner("bytes three", sketch_population(shop(1, 400)))
    with pytest.raises(PrivacyError, match="a new name is no new budget"):
        spend(renamed, shop(300, 520), "bytes four")
    spend(renamed, shop(600, 900), "bytes five")


def test_a_lost_index_learns_who_the_people_are_from_the_record(tmp_path):
    spend(open_source(tmp_path, "shop"), shop(0, 400), "bytes one")
    (tmp_path / "ledger" / "index.sqlite").unlink()
    with pytest.raises(PrivacyError, match="a new name is no new budget"):
        spend(open_source(tmp_path, "other"), shop(0, 400), "other bytes")
