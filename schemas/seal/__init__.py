"""Who reported is sealed: an identity is turned into an opaque text before anything keeps, sends or shows it.

Reading order: `identity` (a text sealed and opened), `records` (the identities in a record's bytes, whatever its state), `keys`
(the file of keys), `openings` (the log of who opened what and why), `cli` (the commands).
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
