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
        code="document.sent",
        kind=DOCUMENT,
        vi="Văn bản gửi đi",
        en="Documents sent",
        sentence="Documents sent in the period, once per receiver.",
        unit=MeasureUnit.COUNT,
        part=count("true", "started_at"),
    ),
    Figure(
        code="document.waiting",
        kind=DOCUMENT,
        vi="Văn bản chưa tiếp nhận",
        en="Documents waiting",
        sentence="Documents that arrived and were not received.",
        unit=MeasureUnit.COUNT,
        part=count(WAITING),
        better="down",
    ),
    Figure(
        code="document.flash_waiting",
        kind=DOCUMENT,
        vi="Hỏa tốc chưa tiếp nhận",
        en="Flash documents waiting",
        sentence="Flash documents that arrived and were not received.",
        unit=MeasureUnit.COUNT,
        part=count(f"{WAITING} AND {FLASH}"),
        better="down",
    ),
    Figure(
        code="document.waiting_longest",
        kind=DOCUMENT,
        vi="Chờ tiếp nhận lâu nhất",
        en="Longest wait to be received",
        sentence="Hours that the longest waiting document has waited: working hours, of the clock "
        "for "
        "flash ones.",
        unit=MeasureUnit.HOURS,
        part=greatest("{position} - at", WAITING),
        better="down",
    ),
    Figure(
        code="document.open",
        kind=DOCUMENT,
        vi="Văn bản đang xử lý",
        en="Documents open",
        sentence="Documents that are not done, refused or recalled.",
        unit=MeasureUnit.COUNT,
        part=count(OPEN),
    ),
    Figure(
        code="document.overdue",
        kind=DOCUMENT,
        vi="Văn bản quá hạn",
        en="Documents overdue",
        sentence="Open documents whose deadline has passed.",
        unit=MeasureUnit.COUNT,
        part=count(OVERDUE),
        better="down",
    ),
    Figure(
        code="document.on_time",
        kind=DOCUMENT,
        vi="Văn bản đúng hạn (thực)",
        en="Documents on time (honest)",
        sentence=(
            "Done on time in the period, of those with a deadline done in the period and those "
            "that are open and overdue."
        ),
        unit=MeasureUnit.PERCENT,
        part=count(f"{DONE} AND due IS NOT NULL AND NOT late", "closed_at"),
        whole=(*count(f"{DONE} AND due IS NOT NULL", "closed_at"), *count(OVERDUE)),
        better="up",
    ),
    Figure(
        code="document.receive_p50",
        kind=DOCUMENT,
        vi="Thời gian tiếp nhận (trung vị)",
        en="Time to receive (median)",
        sentence="Median hours from arrival until received, of the documents sent in the period.",
        unit=MeasureUnit.HOURS,
        part=quantile(0.5, "taken", "taken IS NOT NULL", "started_at"),
        better="down",
    ),
    Figure(
        code="document.receive_p90",
        kind=DOCUMENT,
        vi="Thời gian tiếp nhận (90%)",
        en="Time to receive (90%)",
        sentence="Hours from arrival until received that nine of ten do not exceed.",
        unit=MeasureUnit.HOURS,
        part=quantile(0.9, "taken", "taken IS NOT NULL", "started_at"),
        better="down",
    ),
    Figure(
        code="document.duration_p50",
        kind=DOCUMENT,
        vi="Thời gian xử lý (trung vị)",
        en="Time until done (median)",
        sentence="Median hours from arrival until done, of those done in the period.",
        unit=MeasureUnit.HOURS,
        part=quantile(0.5, "worked", DONE, "closed_at"),
        better="down",
    ),
    Figure(
        code="document.signed",
        kind=DOCUMENT,
        vi="Ký số",
        en="Signed digitally",
        sentence="Signed digitally, of the documents sent in the period.",
        unit=MeasureUnit.PERCENT,
        part=count("signed", "started_at"),
        whole=count("true", "started_at"),
        better="up",
    ),
    Figure(
        code="document.refused",
        kind=DOCUMENT,
        vi="Văn bản bị từ chối",
        en="Documents refused",
        sentence="Refused in the period.",
        unit=MeasureUnit.COUNT,
        part=count(f"status = {DocumentStatus.REFUSED:d}", "closed_at"),
        better="down",
    ),
    Figure(
        code="document.recalled",
        kind=DOCUMENT,
        vi="Văn bản lấy lại",
        en="Documents recalled",
        sentence="Recalled, with consent, in the period.",
        unit=MeasureUnit.COUNT,
        part=count(f"status = {DocumentStatus.RECALL_AGREED:d}", "closed_at"),
    ),
    Figure(
        code="document.impossible",
        kind=DOCUMENT,
        vi="Văn bản sai trình tự",
        en="Documents out of order",
        sentence="Documents sent in the period with a step that may not follow the one before it.",
        unit=MeasureUnit.COUNT,
        part=count("impossible > 0", "started_at"),
        better="down",
    ),
)

MEETINGS = (
    Figure(
        code="meeting.live",
        kind=MEETING,
        vi="Cuộc họp đang diễn ra",
        en="Meetings going on",
        sentence="Meetings that are live.",
        unit=MeasureUnit.COUNT,
        part=count(LIVE),
    ),
    Figure(
        code="meeting.scheduled",
        kind=MEETING,
        vi="Cuộc họp sắp tới",
        en="Meetings to come",
        sentence="Meetings that are scheduled for later.",
        unit=MeasureUnit.COUNT,
        part=count(
            f"state = '{MeetingState.SCHEDULED}' AND toUnixTimestamp64Milli(started_at) > "
            f"{{position}}"
        ),
    ),
    Figure(
        code="meeting.missing",
        kind=MEETING,
        vi="Điểm cầu vắng",
        en="Sites missing",
        sentence="Sites invited to the meetings that are live and not connected.",
        unit=MeasureUnit.COUNT,
        part=total(f"length(arrayFilter(x -> NOT has(connected, x), {SITES}))", LIVE),
        better="down",
    ),
    Figure(
        code="meeting.connected",
        kind=MEETING,
        vi="Điểm cầu đã kết nối",
        en="Sites connected",
        sentence="Sites connected, of those invited to the meetings that are live.",
        unit=MeasureUnit.PERCENT,
        part=total(f"length(arrayFilter(x -> has(connected, x), {SITES}))", LIVE),
        whole=total(f"length({SITES})", LIVE),
        better="up",
    ),
)
