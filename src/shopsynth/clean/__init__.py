"""Normalise, deduplicate, validate; rejected rows stay, with a reason."""

from shopsynth.clean.base import CLEANERS, CleanContext, Cleaner, register
from shopsynth.clean.dataset import clean_dataset, clean_events, clean_items, clean_table
from shopsynth.clean.reasons import check_left, count_rejects
from shopsynth.clean.settings import CleanSettings

__all__ = [
    "CLEANERS",
    "CleanContext",
    "CleanSettings",
    "Cleaner",
    "check_left",
    "clean_dataset",
    "clean_events",
    "clean_items",
    "clean_table",
    "count_rejects",
    "register",
]
