"""Judging: what surrounds the evaluate stage of one run, so that test is read as registered.

In: a plan and a workspace. Out: the plan registered, the look counted before test is opened, and
the facts of that look for the stages after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from shopsynth.pipeline.asked import ROOMS, asked_rows
from shopsynth.pipeline.looks import UNKNOWN, AskedRows, Look
from shopsynth.pipeline.manifest import Manifest
from shopsynth.pipeline.registration import (
    Registered,
    close_test,
    find_look,
    open_test,
    register_plan,
)
from shopsynth.pipeline.verbs import Verbs
from shopsynth.pipeline.workspace import Workspace
from shopsynth.schema import sha256_of

JUDGE = "evaluate"
"""The one stage that scores the test part."""

_TELLS = "report"
"""The stage that tells of the look."""


@dataclass
class Judging:
    """One run's dealings with the registration of its workspace.

    Attributes:
        place: The workspace.
        registered: The run's plan, frozen.
        look: The reading of test that the run's results come from, once there is one.
    """

    place: Workspace
    registered: Registered
    look: Look | None = None

    @classmethod
    def begin(cls, place: Workspace, plan: dict[str, Any]) -> Self:
        """Register the plan; results that stand in the workspace unrecorded are told first.

        Such results are of a version that kept no record, or their record was deleted: nobody
        knows which rows they read under which plan, so they count as a look at whatever follows.

        Raises:
            WorkspaceError: If the record cannot be written or was changed by somebody else.
        """
        found = place.store.get_json(f"{JUDGE}/manifest.json")
        if found is not None and find_look(place.root, key := str(found.get("key"))) is None:
            open_test(place.root, UNKNOWN, key, AskedRows())
            close_test(place.root, key)
        return cls(place, register_plan(place.root, plan))

    def inputs(self, stage: str) -> dict[str, str]:
        """Return what a stage depends on besides other stages, by name.

        ``evaluate`` depends on the plan: another plan is another reading of test. ``report``
        depends on the look, for the same numbers may be found once or twice.
        """
        if stage == JUDGE:
            return {"plan": self.registered.plan_sha256}
        return {"registration": sha256_of(self.facts())} if stage == _TELLS else {}

    def recall(self, key: str) -> None:
        """Take up the look whose results are in the workspace already.

        Args:
            key: Key of the complete evaluate stage.
        """
        # A run killed after the stage was complete had no time to say so.
        close_test(self.place.root, key)
        found = find_look(self.place.root, key)
        if found is not None:
            # A look that nobody recorded was made under this plan all the same: it is in the key.
            self.look = replace(found, **asdict(self.registered))

    @contextmanager
    def reading(self, key: str, split: Manifest, verbs: Verbs) -> Iterator[None]:
        """Count the look, let the test part be read, note that the results stand.

        Args:
            key: Key of the evaluate stage: hash of the plan, its inputs and its code.
            split: The complete split.
            verbs: What runs the tasks that fingerprint the test part.
        """
        asked = asked_rows(split, Verbs(JUDGE, ROOMS, verbs.executor, verbs.store, verbs.progress))
        self.look = open_test(self.place.root, self.registered.plan_sha256, key, asked)
        yield
        close_test(self.place.root, key)

    def facts(self) -> dict[str, Any]:
        """Return what ``summary.json`` tells as ``registration``; empty before the look."""
        return {} if self.look is None else self.look.facts()
