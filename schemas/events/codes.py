"""Define the code lists of events, each code with its label in Vietnamese and English.

Numbered codes are those of the national interchange formats (filings: the ten statuses of the
public-service portals; documents: QCVN 102:2016/BTTTT); codes that are words are ours. A member is
written `NAME = value, "Vietnamese", "English"`.
"""

from enum import IntEnum, StrEnum
from typing import Self


class Labelled:
    """A code with a label in both languages."""

    vi: str
    en: str

    def label(self, language: str = "vi") -> str:
        """Return the label for screens, in `vi` or `en`."""
        return self.vi if language == "vi" else self.en


class NumberedCode(Labelled, IntEnum):
    """A code that is sent as a number."""

    def __new__(cls, value: int, *labels: str) -> Self:
        """Create a member; without its two labels that is a `ValueError`, at import."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.vi, member.en = labels
        return member


class WordedCode(Labelled, StrEnum):
    """A code that is sent as a word."""

    def __new__(cls, value: str, *labels: str) -> Self:
        """Create a member; without its two labels that is a `ValueError`, at import."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.vi, member.en = labels
        return member


class FilingStatus(NumberedCode):
    """Status of a public-service filing."""

    REGISTERED = 1, "Mới đăng ký", "Registered"
    ACCEPTED = 2, "Được tiếp nhận", "Accepted"
    NOT_ACCEPTED = 3, "Không được tiếp nhận", "Not accepted"
    PROCESSING = 4, "Đang xử lý", "Processing"
    SUPPLEMENT = 5, "Yêu cầu bổ sung giấy tờ", "Supplement requested"
    PAYMENT = 6, "Yêu cầu thực hiện nghĩa vụ tài chính", "Payment requested"
    WITHDRAWN = 7, "Công dân yêu cầu rút hồ sơ", "Withdrawn by the citizen"
    STOPPED = 8, "Dừng xử lý", "Stopped"
    FINISHED = 9, "Đã xử lý xong", "Finished"
    RETURNED = 10, "Đã trả kết quả", "Result returned"


class Channel(NumberedCode):
    """Channel by which a filing was submitted."""

    IN_PERSON = 1, "Trực tiếp", "In person"
    ONLINE = 2, "Trực tuyến", "Online"
    POST = 3, "Bưu chính công ích", "By post"


class Applicant(NumberedCode):
    """Type of applicant."""

    CITIZEN = 0, "Công dân", "Citizen"
    ENTERPRISE = 1, "Doanh nghiệp", "Enterprise"
    HOUSEHOLD = 2, "Hộ kinh doanh", "Household business"


class ServiceLevel(WordedCode):
    """How much of the procedure can be done online."""

    FULL = "full", "Toàn trình", "Wholly online"
    PARTIAL = "partial", "Một phần", "Partly online"
    INFORMATION = "information", "Cung cấp thông tin", "Information only"


class Digitisation(WordedCode):
    """Which papers of a filing exist as data."""

    NONE = "none", "Chưa số hóa", "Not digitised"
    RECEIVED = "received", "Số hóa hồ sơ", "Papers digitised"
    RESULT = "result", "Số hóa kết quả", "Result digitised"
    ALREADY = "already", "Đã có dữ liệu số", "Already digital"


class Reuse(WordedCode):
    """Whether data that the state already holds was reused."""

    NONE = "none", "Không tái sử dụng", "Not reused"
    PROVINCE = "province", "Tái sử dụng trong tỉnh", "Reused in the province"
    NATIONAL = "national", "Tái sử dụng từ Cổng quốc gia", "Reused from the national portal"


class FeedbackStatus(WordedCode):
    """Status of a citizen's field report."""

    RECEIVED = "received", "Mới tiếp nhận", "Received"
    VERIFIED = "verified", "Đã xác minh", "Verified"
    REJECTED = "rejected", "Không chấp nhận", "Rejected"
    ROUTED = "routed", "Đã chuyển xử lý", "Routed"
    PROCESSING = "processing", "Đang xử lý", "Processing"
    PUBLISHED = "published", "Đã công bố kết quả", "Result published"
    RATED = "rated", "Đã đánh giá", "Rated"
    REOPENED = "reopened", "Mở lại", "Reopened"


class Urgency(WordedCode):
    """Urgency with which a field report was routed."""

    TIMED = "timed", "Có thời hạn", "Timed"
    IMMEDIATE = "immediate", "Xử lý ngay", "Immediate"


class DocumentStatus(NumberedCode):
    """Status of an e-document at its receiver (QCVN 102:2016)."""

    ARRIVED = 1, "Đã đến", "Arrived"
    REFUSED = 2, "Từ chối", "Refused"
    RECEIVED = 3, "Đã tiếp nhận", "Received"
    ASSIGNED = 4, "Phân công", "Assigned"
    PROCESSING = 5, "Đang xử lý", "Processing"
    DONE = 6, "Hoàn thành", "Done"
    RECALL_ASKED = 13, "Yêu cầu lấy lại", "Recall asked"
    RECALL_AGREED = 15, "Đồng ý lấy lại", "Recall agreed"
    RECALL_REFUSED = 16, "Từ chối lấy lại", "Recall refused"


class Priority(NumberedCode):
    """Urgency of an e-document.

    0 to 3 are those of QCVN 102:2016; 4 is sent by several public systems of the axis.
    """

    NORMAL = 0, "Thường", "Normal"
    URGENT = 1, "Khẩn", "Urgent"
    VERY_URGENT = 2, "Thượng khẩn", "Very urgent"
    FLASH = 3, "Hỏa tốc", "Flash"
    FLASH_TIMED = 4, "Hỏa tốc hẹn giờ", "Flash at a set hour"


class DocumentAction(NumberedCode):
    """Effect of sending an e-document (`BussinessDocType`, so spelled in QCVN 102:2016)."""

    NEW = 0, "Văn bản mới", "New"
    RECALL = 1, "Thu hồi", "Recall"
    UPDATE = 2, "Cập nhật", "Update"
    REPLACE = 3, "Thay thế", "Replace"


class MeetingState(WordedCode):
    """State of a video conference."""

    SCHEDULED = "scheduled", "Đã lên lịch", "Scheduled"
    LIVE = "live", "Đang họp", "Live"
    ENDED = "ended", "Đã kết thúc", "Ended"
    CANCELLED = "cancelled", "Đã hủy", "Cancelled"
