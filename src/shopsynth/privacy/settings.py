"""The recipe's ``[privacy]`` block."""

from typing import Literal

from pydantic import Field

from shopsynth.schema import Settings

Mode = Literal["public", "deidentify", "dp", "unsafe_nonprivate"]


class PrivacySettings(Settings):
    """How the people in the data are protected before anything learns from them."""

    mode: Mode = "dp"
    """public: no personal input; deidentify: PII removed, no guarantee; dp: differential privacy;
    unsafe_nonprivate: raw rows, named in every export."""

    unit: Literal["user"] = "user"
    """Whose whole contribution is protected."""

    epsilon: float | None = Field(default=None, gt=0)
    """Privacy budget of mode dp."""

    delta: float | None = Field(default=None, gt=0, lt=1)
    """Failure probability of mode dp."""

    max_events_per_user: int = Field(default=256, ge=1)
    """A user's most recent events beyond this number never reach a synthesizer."""

    key_env: str = "SHOPSYNTH_PSEUDONYM_KEY"
    """Environment variable with the pseudonym key; without it a key file in the user's own
    configuration folder is used, and made once. The key is never written to a workspace."""
