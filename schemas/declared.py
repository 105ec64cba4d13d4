"""Check declarations when they are imported; an error names the parts that one lacks."""

from collections.abc import Iterable


class IncompleteDeclarationError(ValueError):
    """Raised if a declaration lacks a part that its readers rely on."""

    def __init__(self, what: str, missing: Iterable[str]) -> None:
        """Keep the missing parts, and join them to the message."""
        self.missing = tuple(missing)
        super().__init__(f"{what} is declared incompletely: {'; '.join(self.missing)}")


def whole(what: str, *checks: tuple[bool, str]) -> None:
    """Check that a declaration is complete, given pairs: whether a part is there, and its name.

    Args:
        what: The declaration as an error names it, such as `map layer flows`.
        checks: Pairs of a condition and what is missing if it does not hold.

    Raises:
        IncompleteDeclarationError: A part is missing; the message names all of them, not only the
            first.
    """
    missing = [words for holds, words in checks if not holds]
    if missing:
        raise IncompleteDeclarationError(what, missing)


def same(what: str, declared: Iterable[str], needed: Iterable[str], of: str) -> None:
    """Check that the declared and the needed names are the same.

    Args:
        what: The declaration as an error names it.
        declared: The declared names.
        needed: The needed names.
        of: What a name is, such as `layer`.

    Raises:
        IncompleteDeclarationError: Names are on one side only; the message names each.
    """
    have, want = set(declared), set(needed)
    whole(
        what,
        *((False, f"no declaration of the {of} {name}") for name in sorted(want - have)),
        *((False, f"nothing has the declared {of} {name}") for name in sorted(have - want)),
    )
