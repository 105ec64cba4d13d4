"""Chance that is the same on every machine and every Python: only `random()` is used, whose sequence is guaranteed."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

import xxhash

T = TypeVar("T")


class Dice:
    """A stream of chance of its own for each set of words, such as a seed, a kind and an hour."""

    def __init__(self, *words: object) -> None:
        self.random = Random(xxhash.xxh3_64_intdigest("/".join(map(str, words)).encode())).random

    def happens(self, probability: float) -> bool:
        """True with that probability."""
        return self.random() < probability

    def wait(self, mean: float) -> float:
        """A waiting time: exponential, but never beyond six times its mean, so that every life has an end."""
        return min(-math.log(1 - self.random()), 6.0) * mean

    def between(self, low: float, high: float) -> float:
        """Any value between, all alike."""
        return low + (high - low) * self.random()

    def choose(self, options: Sequence[T]) -> T:
        """One of the options, all alike."""
        return options[int(self.random() * len(options))]

    def count(self, expected: float) -> int:
        """A whole number that is `expected` on average."""
        return int(expected + self.random())

    def pace(self, late: float) -> float:
        """The part of a deadline that work takes: above 1 with probability `late`, at most 2."""
        chance = self.random()
        if chance < late:
            return 1.02 + min(-math.log(1 - chance / late) * 0.35, 0.98)
        return 0.06 + 0.9 * math.pow(self.random(), 1.3)


class Choice(Generic[T]):
    """A choice among weighted options."""

    def __init__(self, options: Sequence[T], weights: Sequence[float]) -> None:
        self.options = tuple(options)
        self._sums = list(accumulate(weights))

    def pick(self, dice: Dice) -> T:
        """One of the options, by weight."""
        index = bisect_right(self._sums, dice.random() * self._sums[-1])
        return self.options[min(index, len(self.options) - 1)]
