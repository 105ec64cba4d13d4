"""Texts of all screens by key, from the gettext catalogue of each language.

Catalogues are `locale/<language>/LC_MESSAGES/ioc.po`. A key is the `msgid`, a text the `msgstr`; a
comment names the screen. `str.format` fills each `{name}` in a text, so calls name the values that
they pass. The catalogues are read as they are, without a build step: 20 to 40 ms a language
(2026-12-01, 2 cores), once in a process, when its first text is needed.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from babel.messages.pofile import read_po


class MissingTextError(Exception):
    """A language has no text for a key, or a text has a placeholder that the call does not fill.

    Not a `LookupError`: pages answer that with "not found", and a missing text is our mistake.
    """


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return the texts of a language by their keys; read at the first call."""
    path = files("dashboard.i18n") / "locale" / language / "LC_MESSAGES" / "ioc.po"
    with path.open("rb") as file:
        found = read_po(file, locale=language, abort_invalid=True)
    return MappingProxyType(
        {str(one.id): str(one.string) for one in found if one.id and one.string}
    )


def text(key: str, language: str, **values: object) -> str:
    """Return the text of a key in `vi` or `en`, with its placeholders filled from `values`.

    Raises:
        MissingTextError: if the language has no such key, or a placeholder has no value.
    """
    try:
        found = catalogue(language)[key]
    except KeyError:
        raise MissingTextError(
            f"no text for the key {key!r} in the language {language!r}"
        ) from None
    try:
        return found.format(**values)
    except (KeyError, IndexError) as error:
        raise MissingTextError(
            f"the text of {key!r} in the language {language!r} needs a value for {error}"
        ) from None
