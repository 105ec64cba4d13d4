"""Encrypt who reported.

An identity becomes an opaque text before anything keeps, sends or shows it.

Reading order: `identity` (a text encrypted and decrypted), `records` (the identities in a record's
bytes, whatever its state), `keys` (the file of keys), `openings` (the log of who decrypted what and
why), `cli` (the commands). In this package to encrypt is called *seal*: the ciphertext is
deterministic, so that two of them can be compared; to decrypt is called *open*.
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
