"""Fit rankers on each training set and ask them what the real holdout asks."""

from shopsynth.train.base import Ranker, Task
from shopsynth.train.device import describe_device
from shopsynth.train.fusion import PROBE_UNITS, Fusion, fused_names
from shopsynth.train.next_item import RANKERS
from shopsynth.train.settings import TrainSettings
from shopsynth.train.space import Choice
from shopsynth.train.tasks import TASKS, get_task, make_ranker, rankers
from shopsynth.train.tuning import TRIAL_COLUMNS, Tuned, search_space, tune

__all__ = [
    "PROBE_UNITS",
    "RANKERS",
    "TASKS",
    "TRIAL_COLUMNS",
    "Choice",
    "Fusion",
    "Ranker",
    "Task",
    "TrainSettings",
    "Tuned",
    "describe_device",
    "fused_names",
    "get_task",
    "make_ranker",
    "rankers",
    "search_space",
    "tune",
]
