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
        "filing.registered",
        FILING,
        "Hồ sơ tiếp nhận",
        "Filings registered",
        "Filings that began in the period.",
        MeasureUnit.COUNT,
        count("true", "started_at"),
    ),
    Figure(
        "filing.closed",
        FILING,
        "Hồ sơ đã xong",
        "Filings closed",
        "Filings that were closed in the period: result, refusal or withdrawal.",
        MeasureUnit.COUNT,
        count("standing = 'closed'", "closed_at"),
    ),
    Figure(
        "filing.open",
        FILING,
        "Hồ sơ đang mở",
        "Open filings",
        "Filings that are not closed, including those that wait for the citizen.",
        MeasureUnit.COUNT,
        count(OPEN),
    ),
    Figure(
        "filing.paused",
        FILING,
        "Hồ sơ tạm dừng",
        "Filings paused",
        "Filings whose clock is stopped: papers or a payment are requested, or work is stopped.",
        MeasureUnit.COUNT,
        count(PAUSED),
    ),
    Figure(
        "filing.overdue",
        FILING,
        "Hồ sơ quá hạn",
        "Filings overdue",
        "Filings in progress whose deadline has passed, in working time, extended by pauses.",
        MeasureUnit.COUNT,
        count(OVERDUE),
        better="down",
    ),
    Figure(
        "filing.overdue_longest",
        FILING,
        "Quá hạn lâu nhất",
        "Longest overdue",
        "Working hours by which the most overdue filing is overdue.",
        MeasureUnit.HOURS,
        greatest("{position} - due", OVERDUE),
        better="down",
    ),
    Figure(
        "filing.due_soon",
        FILING,
        "Hồ sơ sắp đến hạn",
        "Filings due soon",
        f"Filings at work that are due within {SOON} working hours.",
        MeasureUnit.COUNT,
        count(f"standing = 'open' AND NOT {{passed}} AND due < {{position}} + {SOON * HOURS}"),
        better="down",
    ),
    Figure(
        "filing.on_time",
        FILING,
        "Đúng hạn (thực)",
        "On time (honest)",
        "Closed on time in the period, of those closed with a result in the period and those that "
        "are open and overdue.",
        MeasureUnit.PERCENT,
        count(f"{RESULT} AND NOT late", "closed_at"),
        (*count(RESULT, "closed_at"), *count(OVERDUE)),
        "up",
    ),
    Figure(
        "filing.on_time_naive",
        FILING,
        "Đúng hạn (cách tính cũ)",
        "On time (old formula)",
        "Closed on time in the period, of those closed with a result in the period; blind to what "
        "is open and overdue.",
        MeasureUnit.PERCENT,
        count(f"{RESULT} AND NOT late", "closed_at"),
        count(RESULT, "closed_at"),
        "up",
    ),
    Figure(
        "filing.duration_p50",
        FILING,
        "Thời gian giải quyết (trung vị)",
        "Duration (median)",
        "Median working hours from acceptance to the result, pauses left out, of those closed in "
        "the period.",
        MeasureUnit.HOURS,
        quantile(0.5, "worked", RESULT, "closed_at"),
        better="down",
    ),
    Figure(
        "filing.duration_p90",
        FILING,
        "Thời gian giải quyết (90%)",
        "Duration (90%)",
        "Working hours from acceptance to the result that nine of ten do not exceed, pauses left "
        "out.",
        MeasureUnit.HOURS,
        quantile(0.9, "worked", RESULT, "closed_at"),
        better="down",
    ),
    Figure(
        "filing.backlog_age",
        FILING,
        "Tuổi hồ sơ tồn (trung vị)",
        "Age of the backlog (median)",
        "Median working hours that open filings have been worked on, pauses left out.",
        MeasureUnit.HOURS,
        quantile(0.5, AGE, OPEN),
        better="down",
    ),
    Figure(
        "filing.backlog_oldest",
        FILING,
        "Hồ sơ tồn lâu nhất",
        "Oldest of the backlog",
        "Working hours that the oldest open filing has been worked on, pauses left out.",
        MeasureUnit.HOURS,
        greatest(AGE, OPEN),
        better="down",
    ),
    Figure(
        "filing.online",
        FILING,
        "Nộp trực tuyến",
        "Filed online",
        "Filed online, of those that began in the period.",
        MeasureUnit.PERCENT,
        count(f"channel = {Channel.ONLINE:d}", "started_at"),
        count("true", "started_at"),
        "up",
    ),
    Figure(
        "filing.wholly_online",
        FILING,
        "Trực tuyến toàn trình",
        "Wholly online",
        "Filed online in a procedure that is done wholly online, of those that began in the "
        "period.",
        MeasureUnit.PERCENT,
        count(
            f"channel = {Channel.ONLINE:d} AND service_level = '{ServiceLevel.FULL}'", "started_at"
        ),
        count("true", "started_at"),
        "up",
    ),
    Figure(
        "filing.digitised",
        FILING,
        "Số hóa hồ sơ",
        "Digitised",
        "Papers or result exist as data, of the filings accepted that began in the period.",
        MeasureUnit.PERCENT,
        count(f"{ACCEPTED} AND digitisation != '{Digitisation.NONE}'", "started_at"),
        count(ACCEPTED, "started_at"),
        "up",
    ),
    Figure(
        "filing.reused",
        FILING,
        "Tái sử dụng dữ liệu",
        "Data reused",
        "Data that the state already holds was reused, of the filings that began in the period.",
        MeasureUnit.PERCENT,
        count(f"reuse != '{Reuse.NONE}'", "started_at"),
        count("true", "started_at"),
        "up",
    ),
    Figure(
        "filing.paid_online",
        FILING,
        "Thanh toán trực tuyến",
        "Paid online",
        "Fees paid online, of the filings with a fee that were closed with a result in the period.",
        MeasureUnit.PERCENT,
        count(f"{RESULT} AND fee > 0 AND paid_online", "closed_at"),
        count(f"{RESULT} AND fee > 0", "closed_at"),
        "up",
    ),
    Figure(
        "filing.satisfaction",
        FILING,
        "Hài lòng",
        "Satisfied",
        "Ratings of 4 or 5, of the filings rated that were closed in the period.",
        MeasureUnit.PERCENT,
        count("satisfaction >= 4", "closed_at"),
        count("satisfaction IS NOT NULL", "closed_at"),
        "up",
    ),
    Figure(
        "filing.impossible",
        FILING,
        "Hồ sơ sai trình tự",
        "Filings out of order",
        "Filings that began in the period with a step that may not follow the one before it.",
        MeasureUnit.COUNT,
        count("impossible > 0", "started_at"),
        better="down",
    ),
)
