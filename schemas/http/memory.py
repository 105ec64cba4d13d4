"""How many bytes of request bodies a server holds, over all its connections."""

from typing import Protocol


class Sender(Protocol):
    """A connection whose request has a body that has not wholly come yet."""

    def slow_since(self) -> float | None:
        """When its body began, by the loop's clock; None if it is complete, so that it cannot be given up any more."""

    def give_up(self) -> None:
        """Refuse the request in favour of others, and release what its body holds."""


class BodyMemory:
    """Counts the bytes of bodies from their arrival until their requests are answered. Used from the event loop only."""

    def __init__(self, max_bytes: int, patience_seconds: float = 5.0) -> None:
        self._max_bytes = max_bytes
        self._patience_seconds = patience_seconds
        self._held: dict[object, int] = {}
        self._senders: dict[object, Sender] = {}
        self.total = 0

    def take(self, request: object, size: int, sender: Sender, now: float) -> bool:
        """Count `size` more bytes of a request's body; False if there is no room for them.

        Room is made at the cost of the largest body that has been coming for longer than the patience: sixty senders who never
        finish must not keep everybody else out.
        """
        while self.total + size > self._max_bytes:
            slow = [
                other
                for other, one in self._senders.items()
                if other is not request
                and (since := one.slow_since()) is not None
                and now - since > self._patience_seconds
            ]
            if not slow:
                return False
            largest = max(slow, key=self._held.__getitem__)
            given_up = self._senders[largest]
            self.release(largest)
            given_up.give_up()
        self._held[request] = self._held.get(request, 0) + size
        self._senders[request] = sender
        self.total += size
        return True

    def release(self, request: object) -> None:
        """Forget the bytes of a request; one that holds none is none the worse."""
        self.total -= self._held.pop(request, 0)
        self._senders.pop(request, None)
