"""The four verbs every stage is made of: map, exchange, reduce, fit.

In: parts and the name of a pure function. Out: parts, by way of whatever executor runs them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shopsynth.pipeline.base import Executor, ObjectStore, PartRef, Task, TaskResult
from shopsynth.pipeline.job import Job
from shopsynth.pipeline.manifest import code_hash
from shopsynth.schema import Progress, stable_bucket

_HERE = "shopsynth.pipeline.verbs"


@dataclass
class Verbs:
    """The verbs, bound to one stage of one run.

    Attributes:
        stage: Name of the stage.
        rooms: Packages below ``shopsynth`` whose code the stage's results depend on.
        executor: What runs the tasks.
        store: Where the parts are.
        progress: Listener; one step a task.
        cpu_s: CPU seconds the tasks took so far.
    """

    stage: str
    rooms: tuple[str, ...]
    executor: Executor
    store: ObjectStore
    progress: Progress
    cpu_s: float = field(default=0.0, init=False)

    def task(self, function: str, inputs: Iterable[PartRef], **params: Any) -> Task:
        """Describe one task of this stage."""
        return Task(self.stage, function, tuple(inputs), params, code_hash(*self.rooms))

    def map(self, label: str, tasks: Sequence[Task]) -> list[TaskResult]:
        """Run independent tasks: part to part.

        Args:
            label: What the progress display says.
            tasks: The tasks, in the order of the wanted results.
        """
        self.progress.start(f"{self.stage}: {label}", len(tasks))
        results = self.executor.map(tasks, self.store, self.progress)
        self.cpu_s += sum(result.cpu_s for result in results)
        return results

    def exchange(
        self, label: str, parts: Sequence[PartRef], key: str, n_buckets: int
    ) -> tuple[PartRef, ...]:
        """Bring all rows with the same key into one part.

        Args:
            label: What the progress display says.
            parts: Parts of one table, in order.
            key: String column; rows of equal keys keep the order of the parts.
            n_buckets: Number of parts to make.

        Returns:
            One part a bucket, labelled ``bucket-<number>``; empty buckets are left out, unless all
            are: then one empty part.
        """
        if n_buckets == 1 and len(parts) == 1:
            return tuple(parts)
        name = parts[0].name
        cut = [
            self.task(f"{_HERE}:cut_by_key", [part], name=name, key=key, n_buckets=n_buckets)
            for part in parts
        ]
        pieces = [ref for result in self.map(label, cut) for ref in result.outputs]
        if not pieces:
            # No row anywhere: one of the empty parts still tells the columns.
            return tuple(parts[:1])
        labels = sorted({ref.label for ref in pieces})
        gather = [
            self.task(
                f"{_HERE}:gather",
                [ref for ref in pieces if ref.label == bucket],
                name=name,
                label=bucket,
            )
            for bucket in labels
        ]
        return tuple(ref for result in self.map(label, gather) for ref in result.outputs)

    def reduce(
        self, label: str, function: str, parts: Sequence[PartRef], **params: Any
    ) -> TaskResult:
        """Merge small mergeable results of many parts into one."""
        (result,) = self.map(label, [self.task(function, parts, **params)])
        return result

    def fit(
        self, label: str, function: str, inputs: Iterable[PartRef], **params: Any
    ) -> TaskResult:
        """Run one task that needs all of its data at once."""
        (result,) = self.map(label, [self.task(function, inputs, **params)])
        return result


def cut_by_key(job: Job) -> None:
    """Cut a part into buckets by the stable hash of a column; empty keys go together."""
    name, key = job.params["name"], job.params["key"]
    frame = job.frame(name)
    bucket = stable_bucket(frame[key].fill_null(""), job.params["n_buckets"])
    for number in bucket.unique().sort().to_list():
        label = f"bucket-{number:05d}"
        job.write(name, frame.filter(bucket == number), label)


def gather(job: Job) -> None:
    """Put the pieces of one bucket below each other, in order."""
    name = job.params["name"]
    job.write(name, job.frame(name), job.params["label"])
