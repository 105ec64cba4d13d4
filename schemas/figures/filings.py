"""Define the figures of public-service filings."""

from schemas.events.codes import Channel, Digitisation, FilingStatus, Reuse, ServiceLevel
from schemas.events.kinds import FILING
from schemas.figures.definition import HOURS, Figure, MeasureUnit, count, greatest, quantile

OPEN, PAUSED = "standing != 'closed'", "standing = 'paused'"
OVERDUE = "standing = 'open' AND {passed}"
RESULT = f"status IN ({FilingStatus.FINISHED:d}, {FilingStatus.RETURNED:d})"
"""Closed with a result.

Refused, withdrawn and stopped filings say nothing about an agency's speed.
"""
ACCEPTED = f"status NOT IN ({FilingStatus.REGISTERED:d}, {FilingStatus.NOT_ACCEPTED:d})"
AGE = "worked + if(standing = 'open', {position} - at, 0)"
SOON = 24
"""Working hours before a deadline within which it counts as due soon."""

FILINGS = (
    Figure(
        code="filing.registered",
        kind=FILING,
        vi="Hồ sơ tiếp nhận",
        en="Filings registered",
        sentence="Filings that began in the period.",
        unit=MeasureUnit.COUNT,
        part=count("true", "started_at"),
    ),
    Figure(
        code="filing.closed",
        kind=FILING,
        vi="Hồ sơ đã xong",
        en="Filings closed",
        sentence="Filings that were closed in the period: result, refusal or withdrawal.",
        unit=MeasureUnit.COUNT,
        part=count("standing = 'closed'", "closed_at"),
    ),
    Figure(
        code="filing.open",
        kind=FILING,
        vi="Hồ sơ đang mở",
        en="Open filings",
        sentence="Filings that are not closed, including those that wait for the citizen.",
        unit=MeasureUnit.COUNT,
        part=count(OPEN),
    ),
    Figure(
        code="filing.paused",
        kind=FILING,
        vi="Hồ sơ tạm dừng",
        en="Filings paused",
        sentence=(
            "Filings whose clock is stopped: papers or a payment are requested, or work is stopped."
        ),
        unit=MeasureUnit.COUNT,
        part=count(PAUSED),
    ),
    Figure(
        code="filing.overdue",
        kind=FILING,
        vi="Hồ sơ quá hạn",
        en="Filings overdue",
        sentence=(
            "Filings in progress whose deadline has passed, in working time, extended by pauses."
        ),
        unit=MeasureUnit.COUNT,
        part=count(OVERDUE),
        better="down",
    ),
    Figure(
        code="filing.overdue_longest",
        kind=FILING,
        vi="Quá hạn lâu nhất",
        en="Longest overdue",
        sentence="Working hours by which the most overdue filing is overdue.",
        unit=MeasureUnit.HOURS,
        part=greatest("{position} - due", OVERDUE),
        better="down",
    ),
    Figure(
        code="filing.due_soon",
        kind=FILING,
        vi="Hồ sơ sắp đến hạn",
        en="Filings due soon",
        sentence=f"Filings at work that are due within {SOON} working hours.",
        unit=MeasureUnit.COUNT,
        part=count(f"standing = 'open' AND NOT {{passed}} AND due < {{position}} + {SOON * HOURS}"),
        better="down",
    ),
    Figure(
        code="filing.on_time",
        kind=FILING,
        vi="Đúng hạn (thực)",
        en="On time (honest)",
        sentence="Closed on time in the period, of those closed with a result in the period and "
        "those that "
        "are open and overdue.",
        unit=MeasureUnit.PERCENT,
        part=count(f"{RESULT} AND NOT late", "closed_at"),
        whole=(*count(RESULT, "closed_at"), *count(OVERDUE)),
        better="up",
    ),
    Figure(
        code="filing.on_time_naive",
        kind=FILING,
        vi="Đúng hạn (cách tính cũ)",
        en="On time (old formula)",
        sentence="Closed on time in the period, of those closed with a result in the period; blind "
        "to what "
        "is open and overdue.",
        unit=MeasureUnit.PERCENT,
        part=count(f"{RESULT} AND NOT late", "closed_at"),
        whole=count(RESULT, "closed_at"),
        better="up",
    ),
    Figure(
        code="filing.duration_p50",
        kind=FILING,
        vi="Thời gian giải quyết (trung vị)",
        en="Duration (median)",
        sentence="Median working hours from acceptance to the result, pauses left out, of those "
        "closed in "
        "the period.",
        unit=MeasureUnit.HOURS,
        part=quantile(0.5, "worked", RESULT, "closed_at"),
        better="down",
    ),
    Figure(
        code="filing.duration_p90",
        kind=FILING,
        vi="Thời gian giải quyết (90%)",
        en="Duration (90%)",
        sentence=(
            "Working hours from acceptance to the result that nine of ten do not exceed, pauses "
            "left out."
        ),
        unit=MeasureUnit.HOURS,
        part=quantile(0.9, "worked", RESULT, "closed_at"),
        better="down",
    ),
    Figure(
        code="filing.backlog_age",
        kind=FILING,
        vi="Tuổi hồ sơ tồn (trung vị)",
        en="Age of the backlog (median)",
        sentence="Median working hours that open filings have been worked on, pauses left out.",
        unit=MeasureUnit.HOURS,
        part=quantile(0.5, AGE, OPEN),
        better="down",
    ),
    Figure(
        code="filing.backlog_oldest",
        kind=FILING,
        vi="Hồ sơ tồn lâu nhất",
        en="Oldest of the backlog",
        sentence="Working hours that the oldest open filing has been worked on, pauses left out.",
        unit=MeasureUnit.HOURS,
        part=greatest(AGE, OPEN),
        better="down",
    ),
    Figure(
        code="filing.online",
        kind=FILING,
        vi="Nộp trực tuyến",
        en="Filed online",
        sentence="Filed online, of those that began in the period.",
        unit=MeasureUnit.PERCENT,
        part=count(f"channel = {Channel.ONLINE:d}", "started_at"),
        whole=count("true", "started_at"),
        better="up",
    ),
    Figure(
        code="filing.wholly_online",
        kind=FILING,
        vi="Trực tuyến toàn trình",
        en="Wholly online",
        sentence=(
            "Filed online in a procedure that is done wholly online, of those that began in the "
            "period."
        ),
        unit=MeasureUnit.PERCENT,
        part=count(
            f"channel = {Channel.ONLINE:d} AND service_level = '{ServiceLevel.FULL}'", "started_at"
        ),
        whole=count("true", "started_at"),
        better="up",
    ),
    Figure(
        code="filing.digitised",
        kind=FILING,
        vi="Số hóa hồ sơ",
        en="Digitised",
        sentence=(
            "Papers or result exist as data, of the filings accepted that began in the period."
        ),
        unit=MeasureUnit.PERCENT,
        part=count(f"{ACCEPTED} AND digitisation != '{Digitisation.NONE}'", "started_at"),
        whole=count(ACCEPTED, "started_at"),
        better="up",
    ),
    Figure(
        code="filing.reused",
        kind=FILING,
        vi="Tái sử dụng dữ liệu",
        en="Data reused",
        sentence=(
            "Data that the state already holds was reused, of the filings that began in the period."
        ),
        unit=MeasureUnit.PERCENT,
        part=count(f"reuse != '{Reuse.NONE}'", "started_at"),
        whole=count("true", "started_at"),
        better="up",
    ),
    Figure(
        code="filing.paid_online",
        kind=FILING,
        vi="Thanh toán trực tuyến",
        en="Paid online",
        sentence=(
            "Fees paid online, of the filings with a fee that were closed with a result in the "
            "period."
        ),
        unit=MeasureUnit.PERCENT,
        part=count(f"{RESULT} AND fee > 0 AND paid_online", "closed_at"),
        whole=count(f"{RESULT} AND fee > 0", "closed_at"),
        better="up",
    ),
    Figure(
        code="filing.satisfaction",
        kind=FILING,
        vi="Hài lòng",
        en="Satisfied",
        sentence="Ratings of 4 or 5, of the filings rated that were closed in the period.",
        unit=MeasureUnit.PERCENT,
        part=count("satisfaction >= 4", "closed_at"),
        whole=count("satisfaction IS NOT NULL", "closed_at"),
        better="up",
    ),
    Figure(
        code="filing.impossible",
        kind=FILING,
        vi="Hồ sơ sai trình tự",
        en="Filings out of order",
        sentence=(
            "Filings that began in the period with a step that may not follow the one before it."
        ),
        unit=MeasureUnit.COUNT,
        part=count("impossible > 0", "started_at"),
        better="down",
    ),
)
