"""Normalise texts, so that texts that look the same are equal, whatever system they come from.

macOS sends decomposed letters (`ă` as `a` and a breve), Excel non-breaking spaces, Windows-1258
both. They are composed here once, on arrival, for every kind of event; the raw record in Kafka
stays as it came.
"""

import re
import unicodedata

_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_RAW = re.compile(
    rb"[\xcc\xcd]|\xc2[\x80-\xa0\xad]|\xe2(?:\x80[\x80-\x8f\xa8\xa9\xaf]|\x81[\x9f\xa0])|\xe3\x80\x80|\xef\xbb\xbf"
)
_ESCAPED = re.compile(rb"\\(?:u(?:00[0189aA]|03[0-6]|20[0-6]|3000|[fF][eE][fF][fF])|[nrtbf])")


def normalise(text: str) -> str:
    """Return `text` composed (NFC), with plain spaces, nothing invisible, and no space at its ends.

    For column names, lookups and search terms as well as for values. Idempotent.
    """
    if not text.isascii():
        text = _INVISIBLE.sub("", _SPACES.sub(" ", unicodedata.normalize("NFC", text)))
    return text.strip()


def has_control(text: str) -> bool:
    """Return whether `text` has a control character or a line separator.

    No code or number of a record may have one.
    """
    return not text.isprintable() and _CONTROLS.search(text) is not None


def may_need_normalising(json: bytes) -> bool:
    """Return whether JSON holds a character that `normalise` changes or `has_control` finds.

    It looks for those that systems really send, raw or escaped: combining marks, unusual spaces,
    invisible characters, control characters. Rarer ones (Hangul jamo, the sign of the ohm) are
    looked for in numbers and codes only, by `schemas.events.canonical`. It runs for every record,
    so it searches for single bytes first: that takes 20 ns where the regular expressions take
    microseconds. No composed Vietnamese letter has any of these bytes: CC and CD lead the combining
    marks, C2, E2, E3 and EF the unusual spaces. Plain spaces at the ends of a text are not looked
    for.
    """
    if (
        not json.isascii()
        and (
            b"\xcc" in json
            or b"\xcd" in json
            or b"\xc2" in json
            or b"\xe2" in json
            or b"\xe3" in json
            or b"\xef" in json
        )
        and _RAW.search(json)
    ):
        return True
    return b"\\" in json and _ESCAPED.search(json) is not None
