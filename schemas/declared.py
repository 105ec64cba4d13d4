"""What every declaration is checked by: one that lacks a part does not import, and the error names what is missing."""

from collections.abc import Iterable


class IncompleteDeclarationError(ValueError):
    """A declaration lacks a part that a reader of it relies on."""

    def __init__(self, what: str, missing: Iterable[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(f"{what} is declared by halves: {'; '.join(self.missing)}")


def whole(what: str, *checks: tuple[bool, str]) -> None:
    """Check a declaration, given as pairs: whether a part is there, and what to say where it is not.

    Args:
        what: the declaration as an error names it, such as `map layer flows`.
        checks: pairs of a condition and what is missing where it does not hold.

    Raises:
        IncompleteDeclarationError: with all that is missing, not the first of it alone.
    """
    missing = [words for holds, words in checks if not holds]
    if missing:
        raise IncompleteDeclarationError(what, missing)


def same(what: str, declared: Iterable[str], needed: Iterable[str], of: str) -> None:
    """Check that what is declared and what is needed are the same names; `of` says what a name is, such as `layer`.

    Raises:
        IncompleteDeclarationError: with each name that only one side has.
    """
    have, want = set(declared), set(needed)
    whole(
        what,
        *((False, f"no declaration of the {of} {name}") for name in sorted(want - have)),
        *((False, f"nothing has the declared {of} {name}") for name in sorted(have - want)),
    )
