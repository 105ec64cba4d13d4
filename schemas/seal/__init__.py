"""Encrypt reporters' identities before anything stores, sends or shows them.

Reading order: `identity` (encrypts and decrypts one text), `records` (the identities in a record's
bytes, valid or broken), `keys` (the file of keys), `openings` (the log of who decrypted what and
why), `cli` (the commands).

In this package, encrypting is called *sealing*: the ciphertext is deterministic, so that two of
them can be compared. Decrypting is called *opening*.
"""

from schemas.seal.identity import DecryptionError as DecryptionError
from schemas.seal.identity import Sealer as Sealer
from schemas.seal.identity import is_sealed as is_sealed
from schemas.seal.keys import SealError as SealError
from schemas.seal.keys import sealer as sealer
from schemas.seal.records import masked as masked
from schemas.seal.records import opened as opened
from schemas.seal.records import read_sealed as read_sealed
from schemas.seal.records import sealed as sealed
from schemas.seal.records import sealed_remains as sealed_remains
