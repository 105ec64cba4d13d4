"""Count the bytes of request bodies that a server holds, over all its connections."""

from typing import Protocol


class Sender(Protocol):
    """A connection whose request has a body that is still incomplete."""

    def slow_since(self) -> float | None:
        """Return when its body began, by the loop's clock.

        None if the body is complete, so that it cannot be given up any more.
        """

    def give_up(self) -> None:
        """Refuse the request in favour of others, and release the bytes of its body."""


class BodyMemory:
    """A count of the bytes of bodies from their arrival until their requests are answered.

    Use it from the event loop only.
    """

    def __init__(self, max_bytes: int, patience_seconds: float = 5.0) -> None:
        """Start with no bytes.

        Args:
            max_bytes: Bound of all bodies together.
            patience_seconds: Time after which an incomplete body may be given up.
        """
        self._max_bytes = max_bytes
        self._patience_seconds = patience_seconds
        self._held: dict[object, int] = {}
        self._senders: dict[object, Sender] = {}
        self.total = 0

    def take(self, request: object, size: int, sender: Sender, now: float) -> bool:
        """Count `size` more bytes of a request's body; return False if there is no room for them.

        Room is made at the cost of the largest body that has been arriving for longer than the
        patience: sixty senders who never finish must not keep everybody else out.
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
        """Release the bytes of a request; without any, do nothing."""
        self.total -= self._held.pop(request, 0)
        self._senders.pop(request, None)
