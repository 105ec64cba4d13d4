"""Define the figures of e-documents and of meetings."""

from schemas.events.codes import DocumentStatus, MeetingState, Priority
from schemas.events.kinds import DOCUMENT, MEETING
from schemas.figures.definition import Figure, MeasureUnit, count, greatest, quantile, total

OPEN = "standing != 'closed'"
OVERDUE = "standing = 'open' AND {passed}"
WAITING = f"status = {DocumentStatus.ARRIVED:d}"
FLASH = f"priority >= {Priority.FLASH:d}"
DONE = f"status = {DocumentStatus.DONE:d}"
LIVE = f"state = '{MeetingState.LIVE}'"
SITES = "arrayFilter(x -> x != '', arrayDistinct(invited))"
"""Sites of a meeting, each once: some hosts send one twice, or an empty code."""

DOCUMENTS = (
    Figure(
        "document.sent",
        DOCUMENT,
        "Văn bản gửi đi",
        "Documents sent",
        "Documents sent in the period, once per receiver.",
        MeasureUnit.COUNT,
        count("true", "started_at"),
    ),
    Figure(
        "document.waiting",
        DOCUMENT,
        "Văn bản chưa tiếp nhận",
        "Documents waiting",
        "Documents that arrived and were not received.",
        MeasureUnit.COUNT,
        count(WAITING),
        better="down",
    ),
    Figure(
        "document.flash_waiting",
        DOCUMENT,
        "Hỏa tốc chưa tiếp nhận",
        "Flash documents waiting",
        "Flash documents that arrived and were not received.",
        MeasureUnit.COUNT,
        count(f"{WAITING} AND {FLASH}"),
        better="down",
    ),
    Figure(
        "document.waiting_longest",
        DOCUMENT,
        "Chờ tiếp nhận lâu nhất",
        "Longest wait to be received",
        "Hours that the longest waiting document has waited: working hours, of the clock for "
        "flash ones.",
        MeasureUnit.HOURS,
        greatest("{position} - at", WAITING),
        better="down",
    ),
    Figure(
        "document.open",
        DOCUMENT,
        "Văn bản đang xử lý",
        "Documents open",
        "Documents that are not done, refused or recalled.",
        MeasureUnit.COUNT,
        count(OPEN),
    ),
    Figure(
        "document.overdue",
        DOCUMENT,
        "Văn bản quá hạn",
        "Documents overdue",
        "Open documents whose deadline has passed.",
        MeasureUnit.COUNT,
        count(OVERDUE),
        better="down",
    ),
    Figure(
        "document.on_time",
        DOCUMENT,
        "Văn bản đúng hạn (thực)",
        "Documents on time (honest)",
        "Done on time in the period, of those with a deadline done in the period and those that "
        "are open and overdue.",
        MeasureUnit.PERCENT,
        count(f"{DONE} AND due IS NOT NULL AND NOT late", "closed_at"),
        (*count(f"{DONE} AND due IS NOT NULL", "closed_at"), *count(OVERDUE)),
        "up",
    ),
    Figure(
        "document.receive_p50",
        DOCUMENT,
        "Thời gian tiếp nhận (trung vị)",
        "Time to receive (median)",
        "Median hours from arrival until received, of the documents sent in the period.",
        MeasureUnit.HOURS,
        quantile(0.5, "taken", "taken IS NOT NULL", "started_at"),
        better="down",
    ),
    Figure(
        "document.receive_p90",
        DOCUMENT,
        "Thời gian tiếp nhận (90%)",
        "Time to receive (90%)",
        "Hours from arrival until received that nine of ten do not exceed.",
        MeasureUnit.HOURS,
        quantile(0.9, "taken", "taken IS NOT NULL", "started_at"),
        better="down",
    ),
    Figure(
        "document.duration_p50",
        DOCUMENT,
        "Thời gian xử lý (trung vị)",
        "Time until done (median)",
        "Median hours from arrival until done, of those done in the period.",
        MeasureUnit.HOURS,
        quantile(0.5, "worked", DONE, "closed_at"),
        better="down",
    ),
    Figure(
        "document.signed",
        DOCUMENT,
        "Ký số",
        "Signed digitally",
        "Signed digitally, of the documents sent in the period.",
        MeasureUnit.PERCENT,
        count("signed", "started_at"),
        count("true", "started_at"),
        "up",
    ),
    Figure(
        "document.refused",
        DOCUMENT,
        "Văn bản bị từ chối",
        "Documents refused",
        "Refused in the period.",
        MeasureUnit.COUNT,
        count(f"status = {DocumentStatus.REFUSED:d}", "closed_at"),
        better="down",
    ),
    Figure(
        "document.recalled",
        DOCUMENT,
        "Văn bản lấy lại",
        "Documents recalled",
        "Recalled, with consent, in the period.",
        MeasureUnit.COUNT,
        count(f"status = {DocumentStatus.RECALL_AGREED:d}", "closed_at"),
    ),
    Figure(
        "document.impossible",
        DOCUMENT,
        "Văn bản sai trình tự",
        "Documents out of order",
        "Documents sent in the period with a step that may not follow the one before it.",
        MeasureUnit.COUNT,
        count("impossible > 0", "started_at"),
        better="down",
    ),
)

MEETINGS = (
    Figure(
        "meeting.live",
        MEETING,
        "Cuộc họp đang diễn ra",
        "Meetings going on",
        "Meetings that are live.",
        MeasureUnit.COUNT,
        count(LIVE),
    ),
    Figure(
        "meeting.scheduled",
        MEETING,
        "Cuộc họp sắp tới",
        "Meetings to come",
        "Meetings that are scheduled for later.",
        MeasureUnit.COUNT,
        count(
            f"state = '{MeetingState.SCHEDULED}' AND toUnixTimestamp64Milli(started_at) > "
            f"{{position}}"
        ),
    ),
    Figure(
        "meeting.missing",
        MEETING,
        "Điểm cầu vắng",
        "Sites missing",
        "Sites invited to the meetings that are live and not connected.",
        MeasureUnit.COUNT,
        total(f"length(arrayFilter(x -> NOT has(connected, x), {SITES}))", LIVE),
        better="down",
    ),
    Figure(
        "meeting.connected",
        MEETING,
        "Điểm cầu đã kết nối",
        "Sites connected",
        "Sites connected, of those invited to the meetings that are live.",
        MeasureUnit.PERCENT,
        total(f"length(arrayFilter(x -> has(connected, x), {SITES}))", LIVE),
        total(f"length({SITES})", LIVE),
        "up",
    ),
)
