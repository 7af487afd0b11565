"""What stands between real people and everything that learns from them."""

from shopsynth.privacy.budget import check_budget
from shopsynth.privacy.charges import Charge
from shopsynth.privacy.fingerprint import source_fingerprint
from shopsynth.privacy.key import key_id, load_key
from shopsynth.privacy.opening import Protected, open_view, protect
from shopsynth.privacy.output_scan import scan_release
from shopsynth.privacy.purse import Purse
from shopsynth.privacy.receipt import release_receipt
from shopsynth.privacy.settings import PrivacySettings
from shopsynth.privacy.till import open_till
from shopsynth.privacy.view import PrivateView

__all__ = [
    "Charge",
    "PrivacySettings",
    "PrivateView",
    "Protected",
    "Purse",
    "check_budget",
    "key_id",
    "load_key",
    "open_till",
    "open_view",
    "protect",
    "release_receipt",
    "scan_release",
    "source_fingerprint",
]
