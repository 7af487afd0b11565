"""What stands between real people and everything that learns from them."""

from shopsynth.privacy.fingerprint import source_fingerprint
from shopsynth.privacy.key import key_id, load_key
from shopsynth.privacy.opening import Protected, open_view, protect
from shopsynth.privacy.purse import Purse
from shopsynth.privacy.settings import PrivacySettings
from shopsynth.privacy.view import PrivateView

__all__ = [
    "PrivacySettings",
    "PrivateView",
    "Protected",
    "Purse",
    "key_id",
    "load_key",
    "open_view",
    "protect",
    "source_fingerprint",
]
