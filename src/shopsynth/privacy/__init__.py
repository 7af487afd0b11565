"""What stands between real people and everything that learns from them."""

from shopsynth.privacy.settings import PrivacySettings
from shopsynth.privacy.view import PrivateView

__all__ = ["PrivacySettings", "PrivateView"]
