"""Draw chances that are the same on every machine and Python version.

Only `random()` is used, whose sequence is guaranteed.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

import xxhash

T = TypeVar("T")


class Dice:
    """A stream of chance for a set of words, such as a seed, a kind and an hour."""

    def __init__(self, *words: object) -> None:
        """Seed the stream with the words."""
        self.random = Random(xxhash.xxh3_64_intdigest("/".join(map(str, words)).encode())).random

    def happens(self, probability: float) -> bool:
        """Return True with that probability."""
        return self.random() < probability

    def wait(self, mean: float) -> float:
        """Draw an exponential waiting time, at most six times its mean: every history ends."""
        return min(-math.log(1 - self.random()), 6.0) * mean

    def between(self, low: float, high: float) -> float:
        """Draw a value between two others, uniformly."""
        return low + (high - low) * self.random()

    def choose(self, options: Sequence[T]) -> T:
        """Draw one of the options, uniformly."""
        return options[int(self.random() * len(options))]

    def count(self, expected: float) -> int:
        """Draw a whole number that is `expected` on average."""
        return int(expected + self.random())

    def pace(self, late: float) -> float:
        """Draw the part of a deadline that work takes: above 1 with chance `late`, at most 2."""
        chance = self.random()
        if chance < late:
            return 1.02 + min(-math.log(1 - chance / late) * 0.35, 0.98)
        return 0.06 + 0.9 * math.pow(self.random(), 1.3)


class Choice(Generic[T]):
    """A choice among weighted options."""

    def __init__(self, options: Sequence[T], weights: Sequence[float]) -> None:
        """Pair the options with their weights."""
        self.options = tuple(options)
        self._sums = list(accumulate(weights))

    def pick(self, dice: Dice) -> T:
        """Draw one of the options, by weight."""
        index = bisect_right(self._sums, dice.random() * self._sums[-1])
        return self.options[min(index, len(self.options) - 1)]
