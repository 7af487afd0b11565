"""The four verbs: exchange brings equal keys together and keeps their order."""

import polars as pl
import pytest

from fakes.listening import RecordingProgress
from shopsynth.pipeline.base import Task
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.local import InlineExecutor
from shopsynth.pipeline.store import LocalStore
from shopsynth.pipeline.verbs import Verbs


@pytest.fixture
def verbs(tmp_path):
    store = LocalStore(tmp_path / "w")
    return Verbs("s", ("schema",), InlineExecutor(), store, RecordingProgress())


def _part(verbs, frame, label):
    job = Job(Task("s", "none", ()), verbs.store)
    ref = job.write("events", frame, label)
    job.clean_up()
    return ref


def _read(verbs, refs):
    return [pl.read_parquet(verbs.store.local_path(ref.key)) for ref in refs]


def test_exchange_puts_every_row_in_one_bucket_and_keeps_order(verbs):
    users = ["ann", "bob", "cat", "ann", None, "dan", "bob", "eve", "ann"]
    frames = [
        pl.DataFrame({"user_id": users[:5], "n": range(5)}),
        pl.DataFrame({"user_id": users[5:], "n": range(5, 9)}),
    ]
    parts = [_part(verbs, frame, f"p{i}") for i, frame in enumerate(frames)]
    buckets = _read(verbs, verbs.exchange("gather", parts, "user_id", 3))
    assert sorted(n for bucket in buckets for n in bucket["n"]) == list(range(9))
    owners = [set(bucket["user_id"].to_list()) for bucket in buckets]
    assert sum(len(owner) for owner in owners) == len(set(users))
    for bucket in buckets:
        for user in set(bucket["user_id"].to_list()):
            mine = bucket.filter(pl.col("user_id").eq_missing(user))["n"].to_list()
            assert mine == sorted(mine)


def test_exchange_leaves_a_single_part_alone(verbs):
    part = _part(verbs, pl.DataFrame({"user_id": ["a"]}), "only")
    assert verbs.exchange("gather", [part], "user_id", 1) == (part,)


def test_reduce_and_fit_give_one_result_and_progress_is_told(verbs):
    result = verbs.reduce("sum", "fakes.tasks:double", [], x=[1, 2, 3])
    assert result.facts == {"total": 12}
    assert verbs.fit("sum", "fakes.tasks:double", [], x=[4]).facts == {"total": 8}
    assert verbs.progress.started == [("s: sum", 1), ("s: sum", 1)]


def test_an_exchange_of_parts_without_rows_keeps_their_columns(verbs):
    empty = pl.DataFrame(schema={"user_id": pl.String, "n": pl.Int64})
    parts = [_part(verbs, empty, label) for label in ("p0", "p1")]
    (kept,) = _read(verbs, verbs.exchange("gather", parts, "user_id", 3))
    assert kept.equals(empty)
