"""What stands between real people and everything that learns from them."""

from shopsynth.privacy.fingerprint import source_fingerprint
from shopsynth.privacy.key import key_id, load_key
from shopsynth.privacy.opening import open_view
from shopsynth.privacy.settings import PrivacySettings
from shopsynth.privacy.view import PrivateView

__all__ = [
    "PrivacySettings",
    "PrivateView",
    "key_id",
    "load_key",
    "open_view",
    "source_fingerprint",
]
