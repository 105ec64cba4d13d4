"""What the tests seal with: a key that everybody knows, and somebody whom nobody is."""

from schemas.seal import Sealer

SEALER = Sealer([bytes(range(64))])
SOMEBODY = "Nguyễn Văn Thử, 0000 123 456"
