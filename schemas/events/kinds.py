"""Declare the kinds of event.

Each has its type, its key, and the dimensions and measures of its windows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

from schemas.events.codes import Channel, DocumentStatus, FeedbackStatus, FilingStatus, MeetingState
from schemas.events.measures import After, AtLeast, Is, Measure, Yes
from schemas.events.payloads import Document, Event, Feedback, Filing, Indicator, Meeting

STEPS = Measure("steps", "Mọi sự kiện", "Events of any status.")


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of event and all that derives from it.

    Compared by identity: it is a dictionary key on the hot path.
    """

    name: str
    plural: str
    vi: str
    en: str
    event: type[Event]
    key: tuple[str, ...]
    dimensions: tuple[str, ...]
    measures: tuple[Measure, ...]
    version: int = 1

    @property
    def type(self) -> str:
        """Return the CloudEvents `type`."""
        return f"vn.ioc.{self.name}.v{self.version}"

    @cached_property
    def entity_id(self) -> Callable[[Any], str]:
        """Return a function from an event to its entity's id, the key of its Kafka record."""
        parts: Callable[[Any], Any] = attrgetter(*self.key)
        return parts if len(self.key) == 1 else lambda event: "/".join(parts(event))

    def label(self, language: str = "vi") -> str:
        """Return the kind's name for screens, in `vi` or `en`."""
        return self.vi if language == "vi" else self.en

    def topic(self, prefix: str) -> str:
        """Return the name of the kind's Kafka topic."""
        return prefix + self.name


FILING = Kind(
    "filing",
    "filings",
    "Hồ sơ dịch vụ công",
    "Public-service filing",
    Filing,
    key=("filing_id",),
    dimensions=("agency", "commune", "procedure", "channel"),
    measures=(
        STEPS,
        Measure(
            "registered",
            "Hồ sơ đăng ký",
            "Filings registered.",
            (Is("status", (FilingStatus.REGISTERED,)),),
        ),
        Measure(
            "registered_online",
            "Hồ sơ đăng ký trực tuyến",
            "Filings registered online.",
            (Is("status", (FilingStatus.REGISTERED,)), Is("channel", (Channel.ONLINE,))),
        ),
        Measure(
            "accepted",
            "Hồ sơ được tiếp nhận",
            "Filings accepted.",
            (Is("status", (FilingStatus.ACCEPTED,)),),
        ),
        Measure(
            "not_accepted",
            "Hồ sơ không được tiếp nhận",
            "Filings not accepted.",
            (Is("status", (FilingStatus.NOT_ACCEPTED,)),),
        ),
        Measure(
            "suspended",
            "Hồ sơ tạm dừng tính thời hạn: bổ sung giấy tờ, nghĩa vụ tài chính, dừng xử lý",
            "Filings whose clock was stopped: supplement, payment, stop.",
            (Is("status", (FilingStatus.SUPPLEMENT, FilingStatus.PAYMENT, FilingStatus.STOPPED)),),
        ),
        Measure(
            "withdrawn",
            "Hồ sơ công dân yêu cầu rút",
            "Filings withdrawn by the citizen.",
            (Is("status", (FilingStatus.WITHDRAWN,)),),
        ),
        Measure(
            "finished",
            "Hồ sơ xử lý xong",
            "Filings finished.",
            (Is("status", (FilingStatus.FINISHED,)),),
        ),
        Measure(
            "finished_late",
            "Hồ sơ xử lý xong sau hạn",
            "Filings finished after they were due.",
            (Is("status", (FilingStatus.FINISHED,)), After("finished_at", "due_at")),
        ),
        Measure(
            "returned",
            "Kết quả đã trả",
            "Results returned to the applicant.",
            (Is("status", (FilingStatus.RETURNED,)),),
        ),
    ),
)

FEEDBACK = Kind(
    "feedback",
    "feedback",
    "Phản ánh hiện trường",
    "Citizens' field report",
    Feedback,
    key=("report_id",),
    dimensions=("agency", "commune", "category"),
    measures=(
        STEPS,
        Measure(
            "received",
            "Phản ánh tiếp nhận",
            "Reports received.",
            (Is("status", (FeedbackStatus.RECEIVED,)),),
        ),
        Measure(
            "verified",
            "Phản ánh đã xác minh",
            "Reports verified.",
            (Is("status", (FeedbackStatus.VERIFIED,)),),
        ),
        Measure(
            "rejected",
            "Phản ánh không chấp nhận",
            "Reports rejected.",
            (Is("status", (FeedbackStatus.REJECTED,)),),
        ),
        Measure(
            "routed",
            "Phản ánh chuyển cơ quan xử lý",
            "Reports routed to an agency.",
            (Is("status", (FeedbackStatus.ROUTED,)),),
        ),
        Measure(
            "published",
            "Phản ánh đã công bố kết quả",
            "Reports whose result was published.",
            (Is("status", (FeedbackStatus.PUBLISHED,)),),
        ),
        Measure(
            "published_late",
            "Phản ánh công bố kết quả sau hạn",
            "Reports whose result was published after it was due.",
            (Is("status", (FeedbackStatus.PUBLISHED,)), After("finished_at", "due_at")),
        ),
        Measure(
            "reopened",
            "Phản ánh mở lại",
            "Reports reopened.",
            (Is("status", (FeedbackStatus.REOPENED,)),),
        ),
        Measure(
            "rated",
            "Lượt đánh giá của người dân",
            "Ratings given by citizens.",
            (Is("status", (FeedbackStatus.RATED,)),),
        ),
        Measure(
            "satisfied",
            "Đánh giá 4 hoặc 5 sao",
            "Ratings of 4 or 5.",
            (Is("status", (FeedbackStatus.RATED,)), AtLeast("rating", 4)),
        ),
    ),
)

DOCUMENT = Kind(
    "document",
    "documents",
    "Văn bản điện tử",
    "E-document",
    Document,
    key=("document_id", "to_organ"),
    dimensions=("agency", "commune", "from_organ", "to_organ", "priority"),
    measures=(
        STEPS,
        Measure(
            "arrived",
            "Văn bản đến",
            "Documents arrived.",
            (Is("status", (DocumentStatus.ARRIVED,)),),
        ),
        Measure(
            "arrived_signed",
            "Văn bản đến có chữ ký số",
            "Documents arrived with a digital signature.",
            (Is("status", (DocumentStatus.ARRIVED,)), Yes("signed")),
        ),
        Measure(
            "refused",
            "Văn bản bị từ chối",
            "Documents refused.",
            (Is("status", (DocumentStatus.REFUSED,)),),
        ),
        Measure(
            "received",
            "Văn bản đã tiếp nhận",
            "Documents received.",
            (Is("status", (DocumentStatus.RECEIVED,)),),
        ),
        Measure(
            "done", "Văn bản hoàn thành", "Documents done.", (Is("status", (DocumentStatus.DONE,)),)
        ),
        Measure(
            "done_late",
            "Văn bản hoàn thành sau hạn",
            "Documents done after they were due.",
            (Is("status", (DocumentStatus.DONE,)), After("finished_at", "due_at")),
        ),
        Measure(
            "recalled",
            "Đồng ý lấy lại văn bản",
            "Recalls agreed.",
            (Is("status", (DocumentStatus.RECALL_AGREED,)),),
        ),
    ),
)

MEETING = Kind(
    "meeting",
    "meetings",
    "Họp trực tuyến",
    "Video conference",
    Meeting,
    key=("meeting_id",),
    dimensions=("agency", "commune"),
    measures=(
        STEPS,
        Measure(
            "started",
            "Sự kiện khi cuộc họp đang diễn ra",
            "Steps in which a meeting is live.",
            (Is("state", (MeetingState.LIVE,)),),
        ),
        Measure(
            "ended", "Cuộc họp kết thúc", "Meetings ended.", (Is("state", (MeetingState.ENDED,)),)
        ),
        Measure(
            "cancelled",
            "Cuộc họp bị hủy",
            "Meetings cancelled.",
            (Is("state", (MeetingState.CANCELLED,)),),
        ),
    ),
)

INDICATOR = Kind(
    "indicator",
    "indicators",
    "Chỉ tiêu",
    "Indicator",
    Indicator,
    key=("indicator", "unit", "period"),
    dimensions=("agency", "commune", "indicator"),
    measures=(STEPS,),
)

KINDS = (FILING, FEEDBACK, DOCUMENT, MEETING, INDICATOR)
BY_NAME = {kind.name: kind for kind in KINDS}
BY_TYPE = {kind.type: kind for kind in KINDS}
DEAD_LETTERS = "dead-letters"
"""Topic, without its prefix, of records that could not be counted."""
HEARTBEATS = "heartbeats"
"""Topic, without its prefix, of the gateway's heartbeats.

They prove to the screens that the whole path works.
"""
REPEATS = "repeats"
"""Topic, without its prefix, of the records that workers dropped as repeats.

A sender learns from it what became of its records.
"""
REFUSALS = "refusals"
"""Topic, without its prefix, of what gateways refused, counted over some seconds."""
