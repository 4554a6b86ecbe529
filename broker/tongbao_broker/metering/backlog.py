"""What is written and not read yet, and for how long at least it has been lying there. Pure."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Backlog:
    """For each stream that isn't read to its end: since when (s), and the end that was known then."""

    _since: dict[str, tuple[float, int]] = field(default_factory=dict)

    def note(self, stream: str, following: int, end: int | None, now_s: float) -> tuple[int, float]:
        """Takes down where a stream stands: records unread, and the least age (s) of the oldest of them.

        `following` is the next offset to be read, `end` the one that the next record to be written will get,
        None while nobody knows it. The age is 0 until the same records have been met twice.
        """
        if end is None or end <= following:
            self._since.pop(stream, None)
            return 0, 0.0
        since_s, known_end = self._since.get(stream, (now_s, end))
        if following >= known_end or since_s > now_s:
            since_s, known_end = now_s, end
        self._since[stream] = since_s, known_end
        return end - following, now_s - since_s
