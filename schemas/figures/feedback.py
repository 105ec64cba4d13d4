"""Define the figures of citizens' field reports."""

from schemas.events.codes import FeedbackStatus
from schemas.events.kinds import FEEDBACK
from schemas.figures.definition import Figure, MeasureUnit, count, quantile

OPEN = "standing != 'closed'"
OVERDUE = "standing = 'open' AND {passed}"
ANSWERED = f"status IN ('{FeedbackStatus.PUBLISHED}', '{FeedbackStatus.RATED}')"
ACCEPTED = f"status NOT IN ('{FeedbackStatus.RECEIVED}', '{FeedbackStatus.REJECTED}')"

FEEDBACKS = (
    Figure(
        code="feedback.received",
        kind=FEEDBACK,
        vi="Phản ánh tiếp nhận",
        en="Reports received",
        sentence="Reports made in the period.",
        unit=MeasureUnit.COUNT,
        part=count("true", "started_at"),
    ),
    Figure(
        code="feedback.open",
        kind=FEEDBACK,
        vi="Phản ánh đang mở",
        en="Open reports",
        sentence="Reports that are neither answered nor rejected.",
        unit=MeasureUnit.COUNT,
        part=count(OPEN),
    ),
    Figure(
        code="feedback.overdue",
        kind=FEEDBACK,
        vi="Phản ánh quá hạn",
        en="Reports overdue",
        sentence="Open reports whose deadline has passed: round the clock for immediate ones, in "
        "working "
        "time for others.",
        unit=MeasureUnit.COUNT,
        part=count(OVERDUE),
        better="down",
    ),
    Figure(
        code="feedback.accepted",
        kind=FEEDBACK,
        vi="Phản ánh được chấp nhận",
        en="Reports accepted",
        sentence="Reports that were verified, of those made in the period.",
        unit=MeasureUnit.PERCENT,
        part=count(ACCEPTED, "started_at"),
        whole=count("true", "started_at"),
    ),
    Figure(
        code="feedback.handled",
        kind=FEEDBACK,
        vi="Phản ánh đã xử lý",
        en="Reports handled",
        sentence="Reports answered, of those made in the period that were verified.",
        unit=MeasureUnit.PERCENT,
        part=count(ANSWERED, "started_at"),
        whole=count(ACCEPTED, "started_at"),
        better="up",
    ),
    Figure(
        code="feedback.on_time",
        kind=FEEDBACK,
        vi="Phản ánh đúng hạn (thực)",
        en="Reports on time (honest)",
        sentence=(
            "Answered on time in the period, of those answered in the period and those that are "
            "open and overdue."
        ),
        unit=MeasureUnit.PERCENT,
        part=count(f"{ANSWERED} AND NOT late", "closed_at"),
        whole=(*count(ANSWERED, "closed_at"), *count(OVERDUE)),
        better="up",
    ),
    Figure(
        code="feedback.satisfied",
        kind=FEEDBACK,
        vi="Hài lòng với xử lý",
        en="Satisfied with the answer",
        sentence="Ratings of 4 or 5, of the reports rated that were answered in the period.",
        unit=MeasureUnit.PERCENT,
        part=count("rating >= 4", "closed_at"),
        whole=count("rating IS NOT NULL", "closed_at"),
        better="up",
    ),
    Figure(
        code="feedback.reopened",
        kind=FEEDBACK,
        vi="Phản ánh mở lại",
        en="Reports reopened",
        sentence="Reports made in the period that were reopened after an answer.",
        unit=MeasureUnit.COUNT,
        part=count("reopened > 0", "started_at"),
        better="down",
    ),
    Figure(
        code="feedback.verify_p50",
        kind=FEEDBACK,
        vi="Thời gian xác minh (trung vị)",
        en="Time to verify (median)",
        sentence="Median hours until a report is verified, of those made in the period.",
        unit=MeasureUnit.HOURS,
        part=quantile(0.5, "taken", "taken IS NOT NULL", "started_at"),
        better="down",
    ),
    Figure(
        code="feedback.duration_p50",
        kind=FEEDBACK,
        vi="Thời gian xử lý (trung vị)",
        en="Time to answer (median)",
        sentence=(
            "Median hours from the report to its answer: of the clock for immediate ones, working "
            "hours for others."
        ),
        unit=MeasureUnit.HOURS,
        part=quantile(0.5, "worked", ANSWERED, "closed_at"),
        better="down",
    ),
    Figure(
        code="feedback.duration_p90",
        kind=FEEDBACK,
        vi="Thời gian xử lý (90%)",
        en="Time to answer (90%)",
        sentence="Hours from the report to its answer that nine of ten do not exceed.",
        unit=MeasureUnit.HOURS,
        part=quantile(0.9, "worked", ANSWERED, "closed_at"),
        better="down",
    ),
    Figure(
        code="feedback.impossible",
        kind=FEEDBACK,
        vi="Phản ánh sai trình tự",
        en="Reports out of order",
        sentence="Reports made in the period with a step that may not follow the one before it.",
        unit=MeasureUnit.COUNT,
        part=count("impossible > 0", "started_at"),
        better="down",
    ),
)
