"""A progress listener that remembers."""


class RecordingProgress:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.started: list[tuple[str, int | None]] = []
        self.steps = 0

    def start(self, label: str, total: int | None) -> None:
        self.started.append((label, total))

    def advance(self, steps: int = 1) -> None:
        self.steps += steps
