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
        "feedback.received",
        FEEDBACK,
        "Phản ánh tiếp nhận",
        "Reports received",
        "Reports made in the period.",
        MeasureUnit.COUNT,
        count("true", "started_at"),
    ),
    Figure(
        "feedback.open",
        FEEDBACK,
        "Phản ánh đang mở",
        "Open reports",
        "Reports that are neither answered nor rejected.",
        MeasureUnit.COUNT,
        count(OPEN),
    ),
    Figure(
        "feedback.overdue",
        FEEDBACK,
        "Phản ánh quá hạn",
        "Reports overdue",
        "Open reports whose deadline has passed: round the clock for immediate ones, in working "
        "time for others.",
        MeasureUnit.COUNT,
        count(OVERDUE),
        better="down",
    ),
    Figure(
        "feedback.accepted",
        FEEDBACK,
        "Phản ánh được chấp nhận",
        "Reports accepted",
        "Reports that were verified, of those made in the period.",
        MeasureUnit.PERCENT,
        count(ACCEPTED, "started_at"),
        count("true", "started_at"),
    ),
    Figure(
        "feedback.handled",
        FEEDBACK,
        "Phản ánh đã xử lý",
        "Reports handled",
        "Reports answered, of those made in the period that were verified.",
        MeasureUnit.PERCENT,
        count(ANSWERED, "started_at"),
        count(ACCEPTED, "started_at"),
        "up",
    ),
    Figure(
        "feedback.on_time",
        FEEDBACK,
        "Phản ánh đúng hạn (thực)",
        "Reports on time (honest)",
        "Answered on time in the period, of those answered in the period and those that are open "
        "and overdue.",
        MeasureUnit.PERCENT,
        count(f"{ANSWERED} AND NOT late", "closed_at"),
        (*count(ANSWERED, "closed_at"), *count(OVERDUE)),
        "up",
    ),
    Figure(
        "feedback.satisfied",
        FEEDBACK,
        "Hài lòng với xử lý",
        "Satisfied with the answer",
        "Ratings of 4 or 5, of the reports rated that were answered in the period.",
        MeasureUnit.PERCENT,
        count("rating >= 4", "closed_at"),
        count("rating IS NOT NULL", "closed_at"),
        "up",
    ),
    Figure(
        "feedback.reopened",
        FEEDBACK,
        "Phản ánh mở lại",
        "Reports reopened",
        "Reports made in the period that were reopened after an answer.",
        MeasureUnit.COUNT,
        count("reopened > 0", "started_at"),
        better="down",
    ),
    Figure(
        "feedback.verify_p50",
        FEEDBACK,
        "Thời gian xác minh (trung vị)",
        "Time to verify (median)",
        "Median hours until a report is verified, of those made in the period.",
        MeasureUnit.HOURS,
        quantile(0.5, "taken", "taken IS NOT NULL", "started_at"),
        better="down",
    ),
    Figure(
        "feedback.duration_p50",
        FEEDBACK,
        "Thời gian xử lý (trung vị)",
        "Time to answer (median)",
        "Median hours from the report to its answer: of the clock for immediate ones, working "
        "hours for others.",
        MeasureUnit.HOURS,
        quantile(0.5, "worked", ANSWERED, "closed_at"),
        better="down",
    ),
    Figure(
        "feedback.duration_p90",
        FEEDBACK,
        "Thời gian xử lý (90%)",
        "Time to answer (90%)",
        "Hours from the report to its answer that nine of ten do not exceed.",
        MeasureUnit.HOURS,
        quantile(0.9, "worked", ANSWERED, "closed_at"),
        better="down",
    ),
    Figure(
        "feedback.impossible",
        FEEDBACK,
        "Phản ánh sai trình tự",
        "Reports out of order",
        "Reports made in the period with a step that may not follow the one before it.",
        MeasureUnit.COUNT,
        count("impossible > 0", "started_at"),
        better="down",
    ),
)
