"""Word the gateway's answers in Vietnamese and English: why it refuses, and what to do."""

import re

from schemas.events.envelope import RefusalCategory, RefusalError

CATEGORIES: dict[str, tuple[str, str]] = {
    RefusalCategory.BAD_UTF8: (
        "Không phải UTF-8; hãy gửi văn bản mã hóa UTF-8",
        "Not UTF-8; send text in UTF-8",
    ),
    RefusalCategory.BAD_JSON: ("JSON sai cú pháp", "Malformed JSON"),
    RefusalCategory.TOO_DEEP: ("JSON lồng quá sâu", "JSON nested too deeply"),
    RefusalCategory.TOO_LARGE: ("Quá lớn", "Too large"),
    RefusalCategory.MISSING_FIELD: ("Thiếu trường bắt buộc", "A required field is missing"),
    RefusalCategory.WRONG_TYPE: ("Sai kiểu dữ liệu", "Wrong type of value"),
    RefusalCategory.WRONG_VALUE: ("Giá trị không hợp lệ", "Value not allowed"),
    RefusalCategory.UNKNOWN_KIND: (
        "Loại sự kiện không có trong từ vựng",
        "Kind of event not known",
    ),
    RefusalCategory.IMPOSSIBLE_DATE: (
        "Thời điểm không hợp lệ; cần RFC 3339 có múi giờ, từ 1990 đến 2099",
        "Impossible time; RFC 3339 with an offset is needed, from 1990 to 2099",
    ),
    RefusalCategory.IMPOSSIBLE_POINT: (
        "Tọa độ không hợp lệ; cần đủ lat và lon theo WGS84",
        "Impossible point; lat and lon are needed together, in WGS84 degrees",
    ),
    RefusalCategory.WRONG_KEY: (
        "Khóa bản ghi không khớp thực thể",
        "The record's key is not its entity",
    ),
    RefusalCategory.CONFLICT: (
        "Trùng source và id với một sự kiện khác nội dung; sự kiện mới cần id mới",
        "Same source and id as an event with other content; a new event needs a new id",
    ),
    RefusalCategory.TOO_OLD: (
        "Quá cũ: sự kiện của thời gian ấy không còn được lưu",
        "Too old: events of that time are no longer kept",
    ),
}
"""Category → its text, Vietnamese then English."""

UNACKNOWLEDGED = (
    "Kafka chưa xác nhận kịp; hãy gửi lại sự kiện này, nó vẫn chỉ được tính một lần",
    "Kafka did not acknowledge in time; send this event again, it will count once",
)
UNAVAILABLE = (
    "Tạm thời chưa nhận được; hãy gửi lại sau vài giây",
    "No event can be accepted at the moment; send again in a few seconds",
)
TOO_MANY = (
    "Quá nhiều sự kiện trong một lần gửi; tối đa {0}",
    "Too many events in one request; at most {0}",
)
AHEAD = (
    "Đã nhận, nhưng thời điểm của sự kiện đi trước lúc nhận {0} giây; "
    "hãy chỉnh đồng hồ của nguồn gửi",
    "Accepted, but the time of the event is {0} s ahead of its arrival; "
    "set the clock of its source",
)
UNKNOWN_CODES = (
    "Đã nhận, nhưng có mã không thuộc danh mục nào: {0}; hãy kiểm tra, "
    "số liệu của mã ấy không vào đơn vị nào",
    "Accepted, but no list contains these codes: {0}; check them, their figures count for no unit",
)
CORRECTED_CODE = (
    "Đã nhận; {0} {1!r} được hiểu là {2!r}",
    "Accepted; {0} {1!r} was read as {2!r}",
)
BODY_TOO_LARGE = (
    "Nội dung quá lớn; hãy chia nhỏ, tối đa {0} byte",
    "The body is too large; split it, at most {0} bytes",
)
MEDIA_TYPE = (
    "Không nhận {0!r}; chỉ nhận {1}",
    "{0!r} is not supported; supported are {1}",
)
ENCODING = (
    "Không nhận Content-Encoding {0!r}; hãy gửi không nén",
    "Content-Encoding {0!r} is not supported; send it uncompressed",
)
NOT_A_LIST = ("Lô sự kiện phải là một mảng JSON", "A batch must be one JSON array")
NOT_OBJECTS = (
    "Lô sự kiện phải là một mảng các đối tượng JSON; phần tử {0} không phải",
    "A batch must be an array of JSON objects; item {0} is not an object",
)
MALFORMED = ("JSON sai cú pháp: {0}", "Malformed JSON: {0}")
EMPTY = ("Nội dung rỗng", "The body is empty")

_DETAILS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"Object missing required field `(.+?)`", r"thiếu `\1`"),
        (r"Expected `(.+?)`, got `(.+?)`", r"cần `\1`, nhận được `\2`"),
        (r"Expected `(.+?)` of length (.+?)(?= - at|$)", r"cần `\1` có độ dài \2"),
        (r"Expected `datetime` with a timezone component", "thời điểm cần có múi giờ"),
        (r"Expected `(.+?)` (<=|>=|<|>) (\S+)", r"cần `\1` \2 \3"),
        (r"Invalid enum value (.+?)(?= - at|$)", r"mã \1 không có trong danh mục"),
        (r"Invalid RFC3339 encoded datetime", "thời điểm không đúng RFC 3339"),
        (r"JSON is malformed: (.+?) \(byte (\d+)\)", r"sai ở byte \2 (\1)"),
        (r"Input data was truncated", "dữ liệu bị cắt cụt"),
        (r"The event has (\d+) bytes; at most (\d+) are taken\.", r"sự kiện có \1 byte; tối đa \2"),
        (r"lat and lon must be given together\.", "thiếu một trong hai"),
        (r"(\S+) is not between 1990 and 2099\.", r"\1"),
        (r"Not UTF-8 at byte (\d+)\.", r"sai ở byte \1"),
        (r"Type (.+) is not known; known are (.+?)(?= - at|$)", r"\1; các loại có: \2"),
        (r"(\S+) must be (\S+), not (.+?)(?= - at|$)", r"\1 phải là \2, không phải \3"),
        (
            r"Member (.+?) stands twice in one object\.",
            r"\1 có hai lần trong cùng một đối tượng JSON",
        ),
        (r"More than (\d+) members are named reporter\.", r"có hơn \1 trường tên là reporter"),
        (r"(`.+?`) must not be empty\.", r"\1 không được để trống"),
        (r"(`.+?`) must not be ('.+?')\.", r"\1 không được là \2"),
        (r"(`.+?`) must not hold control characters\.", r"\1 không được chứa ký tự điều khiển"),
        (
            r"`precision` names (`.+?`), which is no moment of this kind\.",
            r"`precision` nêu \1, không phải thời điểm của loại này",
        ),
        (r" - at ", " - tại "),
    )
]


def text(texts: tuple[str, str], language: str, *parts: object) -> str:
    """Return a sentence in `vi` or `en`, with its placeholders filled."""
    return texts[0 if language == "vi" else 1].format(*parts)


def explain(refusal: RefusalError, language: str) -> str:
    """Return why an event was refused: the text of its category, then exactly what and where."""
    detail = refusal.reason
    if language == "vi":
        for pattern, replacement in _DETAILS:
            detail = pattern.sub(replacement, detail)
    return (
        f"{text(CATEGORIES[refusal.category], language)}: {detail}"
        if detail
        else f"{text(CATEGORIES[refusal.category], language)}."
    )


def preferred_language(accept: str, default: str) -> str:
    """Return `vi` or `en`, whichever an Accept-Language header weights higher, or the default."""
    best, chosen = 0.0, default
    for part in accept.split(","):
        tag, _, weight = part.strip().partition(";")
        code = tag.strip().lower().partition("-")[0]
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if code in ("vi", "en") and quality > best:
            best, chosen = quality, code
    return chosen
