"""Which device neural models run on.

In: this machine. Out: its best device in words.
"""

from importlib.util import find_spec


def describe_device() -> str:
    """Name the device that neural models would use; says so where torch is not installed."""
    if find_spec("torch") is None:
        return "none: torch is not installed; for neural models: pip install shopsynth[torch]"
    import torch

    if torch.cuda.is_available():
        return f"cuda: {torch.cuda.get_device_name(0)}"
    return "cpu"
