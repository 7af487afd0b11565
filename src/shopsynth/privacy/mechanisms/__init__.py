"""Mechanisms: the only code that reads personal rows in mode ``dp``, and what they may answer."""

from shopsynth.privacy.mechanisms.base import MECHANISMS, Mechanism
from shopsynth.privacy.mechanisms.features import (
    Amount,
    Feature,
    FirstGroup,
    GroupBigram,
    HistoryLength,
    Item,
    Rebuy,
    WordBigram,
)
from shopsynth.privacy.mechanisms.nearest_votes import NearestVotes
from shopsynth.privacy.mechanisms.noisy_count import NoisyCount
from shopsynth.privacy.mechanisms.private_texts import PrivateTexts, PublicColumn
from shopsynth.privacy.mechanisms.private_training import PrivateTraining
from shopsynth.privacy.mechanisms.quantiles import DPQuantiles
from shopsynth.privacy.mechanisms.time_features import (
    FirstTime,
    GapWithin,
    HourOfDay,
    SessionGap,
    SessionOpening,
)
from shopsynth.privacy.mechanisms.user_histogram import UserHistogram
from shopsynth.privacy.mechanisms.vocabulary import DPVocabulary
from shopsynth.privacy.mechanisms.walks import PublicGroups

__all__ = [
    "MECHANISMS",
    "Amount",
    "DPQuantiles",
    "DPVocabulary",
    "Feature",
    "FirstGroup",
    "FirstTime",
    "GapWithin",
    "GroupBigram",
    "HistoryLength",
    "HourOfDay",
    "Item",
    "Mechanism",
    "NearestVotes",
    "NoisyCount",
    "PrivateTexts",
    "PrivateTraining",
    "PublicColumn",
    "PublicGroups",
    "Rebuy",
    "SessionGap",
    "SessionOpening",
    "UserHistogram",
    "WordBigram",
]
