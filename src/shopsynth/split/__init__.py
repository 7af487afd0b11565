"""Set the real holdout aside before anything learns."""

from shopsynth.split.base import (
    CUT_TABLE,
    PARTS,
    SPLITTERS,
    Splitter,
    TimeCuts,
    assign_parts,
    check_parts,
    register,
)
from shopsynth.split.counts import count_items, count_times, count_users, merge_counts
from shopsynth.split.dataset import split_dataset
from shopsynth.split.followers import follow_events, follow_queries
from shopsynth.split.low_data import (
    group_users,
    groups_of_parts,
    part_by_group,
    part_names,
    without_reserve,
)
from shopsynth.split.query import assign_texts, hold_labels_back
from shopsynth.split.settings import SplitSettings
from shopsynth.split.slices import fix_slices
from shopsynth.split.time import find_cuts

__all__ = [
    "CUT_TABLE",
    "PARTS",
    "SPLITTERS",
    "SplitSettings",
    "Splitter",
    "TimeCuts",
    "assign_parts",
    "assign_texts",
    "check_parts",
    "count_items",
    "count_times",
    "count_users",
    "find_cuts",
    "fix_slices",
    "follow_events",
    "follow_queries",
    "group_users",
    "groups_of_parts",
    "hold_labels_back",
    "merge_counts",
    "part_by_group",
    "part_names",
    "register",
    "split_dataset",
    "without_reserve",
]
