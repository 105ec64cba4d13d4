"""Every word of the screens, once: key → (Vietnamese, English). Both languages name the same `{places}`."""

from dashboard.i18n.desk_words import DESK
from dashboard.i18n.list_words import RECORDS
from dashboard.i18n.map_words import MAP
from dashboard.i18n.replay_words import REPLAY
from dashboard.i18n.source_words import UNKNOWN_CODES
from dashboard.i18n.wall_words import WALL

WORDS: dict[str, tuple[str, str]] = {
    # the frame of the page
    "title": ("Điều hành {province}", "Operations, {province}"),
    "other_language": ("English", "Tiếng Việt"),
    "loading": ("Đang mở…", "Opening…"),
    "data_until": ("dữ liệu đến {time}", "data until {time}"),
    "ago": ("{span} trước", "{span} ago"),
    "seconds": ("{n} giây", "{n} s"),
    "minutes": ("{n} phút", "{n} min"),
    "hours": ("{n} giờ", "{n} h"),
    "hours_minutes": ("{h} giờ {m} phút", "{h} h {m} min"),
    "days": ("{n} ngày", "{n} d"),
    "unit_until": ("{unit} (đến {day})", "{unit} (until {day})"),
    "stopped": ("DỮ LIỆU DỪNG LÚC {time}", "DATA STOPPED AT {time}"),
    "stopped_path": (
        "Đường dữ liệu không còn nhịp: kiểm tra cổng tiếp nhận và bộ xử lý",
        "The data path has no pulse: see gateway and worker",
    ),
    "stopped_store": (
        "ClickHouse không trả lời: hình đang xem là hình cuối",
        "ClickHouse does not answer: this is the last picture",
    ),
    "stopped_failed": (
        "Màn hình không dựng được, xem nhật ký của máy chủ",
        "The screen could not be drawn: see the server's log",
    ),
    "stopped_server": (
        "Màn hình không nhận được tin từ máy chủ, đang nối lại",
        "No news from the server, reconnecting",
    ),
    "incomplete": ("DỮ LIỆU THIẾU TỪ {time}", "DATA INCOMPLETE SINCE {time}"),
    "stalled": (
        "{feed}: phân vùng {partitions} đứng yên, {n} bản ghi chờ",
        "{feed}: partition {partitions} stands still, {n} records wait",
    ),
    "unowned": (
        "{feed}: phân vùng {partitions} không có bộ xử lý",
        "{feed}: no worker has partition {partitions}",
    ),
    "unwatched": ("CẢNH BÁO DỪNG TỪ {time}", "ALARMS STOPPED AT {time}"),
    "never_watched": ("CẢNH BÁO CHƯA CHẠY", "ALARMS ARE NOT RUNNING"),
    "unwatched_reason": (
        "Bộ theo dõi không chạy: cảnh báo có thể đã cũ hoặc thiếu, kiểm tra python -m streams watch",
        "No watch is running: alarms may be over or missing, see python -m streams watch",
    ),
    "blind": ("Chưa có ai theo dõi", "Nobody watches yet"),
    "blind_since": ("Không ai theo dõi từ {time}", "Nobody watches since {time}"),
    "no_pulse": ("CHƯA CÓ NHỊP DỮ LIỆU", "NO PULSE OF DATA YET"),
    "no_data": (
        "Chưa có dữ liệu: chưa có sự kiện nào được đếm",
        "No data yet: no event has been counted",
    ),
    "none": ("–", "–"),
    # figures
    "filings_today": ("Hồ sơ hôm nay", "Filings today"),
    "versus_day": ("so với {day} cùng giờ", "against {day}, same time"),
    "online_share": ("toàn trình {value} (≥ {target})", "online {value} (≥ {target})"),
    "on_time": ("Đúng hạn (thực)", "On time (honest)"),
    "naive": ("cách tính cũ {value}", "old formula {value}"),
    "target": ("mục tiêu {target}", "target {target}"),
    "below_target": ("dưới mục tiêu {target}", "below target {target}"),
    "overdue": ("Hồ sơ quá hạn", "Filings overdue"),
    "oldest_working_days": ("lâu nhất {n} ngày", "oldest {n} working days"),
    "versus_yesterday": ("so với 24 giờ trước", "against 24 h ago"),
    "feedback_open": ("Phản ánh đang mở", "Open field reports"),
    "satisfied_target": ("hài lòng {value} (≥ {target})", "satisfied {value} (≥ {target})"),
    "feedback_on_time": ("đúng hạn {value}", "on time {value}"),
    "documents_waiting": ("Văn bản chưa nhận", "Documents waiting"),
    "flash_waiting": ("{n} hỏa tốc (mục tiêu {target})", "{n} flash (target {target})"),
    "oldest_since": ("lâu nhất từ {time}", "oldest since {time}"),
    "meetings": ("Đang họp trực tuyến", "Meetings live"),
    "sites": ("{connected}/{invited} điểm cầu", "{connected}/{invited} sites"),
    "scheduled": ("{n} cuộc sắp tới", "{n} coming up"),
    "sources_live": ("Nguồn còn sống", "Sources alive"),
    "silent_count": ("{n} im lặng", "{n} silent"),
    "malformed_count": ("{n} bị từ chối", "{n} refused"),
    "late_count": ("{n} trễ", "{n} late"),
    "all_on_rhythm": ("đúng nhịp đã hẹn", "as agreed"),
    "off_hours": ("ngoài giờ làm việc", "off hours"),
    # alarms
    "alarms": ("Cảnh báo ({n})", "Alarms ({n})"),
    "no_alarms": ("Không có cảnh báo", "No alarms"),
    "since": ("từ {time}", "since {time}"),
    "priority_1": ("nghiêm trọng", "critical"),
    "priority_2": ("cần chú ý", "warning"),
    "priority_3": ("theo dõi", "advisory"),
    "burst": (
        "{n} phản ánh {category} / {minutes} phút",
        "{n} reports on {category} / {minutes} min",
    ),
    "burst_many": (
        "{units} đơn vị: {n} phản ánh {category} / {minutes} phút",
        "{units} units: {n} reports on {category} / {minutes} min",
    ),
    "pile": ("{n} hồ sơ quá hạn, {change} / 24 giờ", "{n} filings overdue, {change} / 24 h"),
    "pile_many": (
        "{units} đơn vị dồn {n} hồ sơ quá hạn",
        "{n} filings piled up overdue in {units} units",
    ),
    "flash": ("{n} văn bản hỏa tốc chưa nhận", "flash documents not received: {n}"),
    "flash_many": (
        "{units} đơn vị chưa nhận {n} văn bản hỏa tốc",
        "{n} flash documents waiting in {units} units",
    ),
    "silent": ("Nguồn {feed} im lặng", "{feed}: source silent"),
    "silent_many": ("{units} nguồn {feed} im lặng", "{feed}: {units} sources silent"),
    "ahead": ("{feed}: đồng hồ nguồn nhanh {span}", "{feed}: source clock {span} ahead"),
    "ahead_many": (
        "{feed}: {units} nguồn có đồng hồ nhanh đến {span}",
        "{feed}: {units} source clocks up to {span} ahead",
    ),
    "within": ("{said}, bán kính {radius} m", "{said}, within {radius} m"),
    "malformed": (
        "Nguồn {feed} gửi sai, bị từ chối hết",
        "{feed}: all that the source sends is refused",
    ),
    "malformed_many": (
        "{units} nguồn {feed} gửi sai, bị từ chối hết",
        "{feed}: all that {units} sources send is refused",
    ),
    "refused": (
        "{n} bản ghi bị từ chối / {minutes} phút: {reason}",
        "{n} records refused / {minutes} min: {reason}",
    ),
    "refused_many": (
        "{units} nguồn có {n} bản ghi bị từ chối / {minutes} phút: {reason}",
        "{units} sources: {n} records refused / {minutes} min: {reason}",
    ),
    "figure": ("{rule}: {value}", "{rule}: {value}"),
    "off_track": (
        "{target}: dự báo đạt {value}% mục tiêu",
        "{target}: forecast to reach {value}% of its aim",
    ),
    "off_track_many": (
        "{n} chỉ tiêu khó đạt theo dự báo",
        "{n} targets off track by their forecasts",
    ),
    "dead_letters": ("{n} bản ghi hỏng trong 1 giờ: {reason}", "{n} bad records in 1 h: {reason}"),
    "dead_letters_place": ("Dữ liệu bị loại", "Refused data"),
    "whole_province": ("Toàn tỉnh", "Whole province"),
    "and_others": ("{names} và {n} nơi nữa", "{names} and {n} more"),
    # sources
    "sources": ("Nguồn", "Sources"),
    "feed_filing": ("Hồ sơ", "Filings"),
    "feed_feedback": ("Phản ánh", "Reports"),
    "feed_document": ("Văn bản", "Documents"),
    "feed_meeting": ("Họp", "Meetings"),
    "feed_indicator": ("Chỉ tiêu", "Indicators"),
    "feed_all": ("Mọi loại dữ liệu", "All data"),
    "feed_never": ("chưa có", "never"),
    "is_malformed": ("{name} gửi sai, bị từ chối", "{name} sends what is refused"),
    "silent_for": ("{name} im lặng {span}", "{name} silent {span}"),
    "waiting": ("{count}, chờ {n}", "{count}, {n} wait"),
    "ahead_by": ("đồng hồ nhanh {span}: {name}", "clock {span} ahead: {name}"),
    **DESK,
    **UNKNOWN_CODES,
    **REPLAY,
    **WALL,
    **MAP,
    **RECORDS,
    # the map
    "measure_overdue_rate": ("Hồ sơ quá hạn trên 1.000", "Overdue per 1,000 filings"),
    "measure_overdue": ("Hồ sơ quá hạn", "Filings overdue"),
    "measure_feedback": ("Phản ánh đang mở", "Open field reports"),
    "measure_filings": ("Hồ sơ hôm nay", "Filings today"),
    "measure_on_time": ("Đúng hạn (thực), %", "On time (honest), %"),
    "schematic": ("ranh giới giản lược", "schematic borders"),
    "source_lost": ("mất nguồn", "source lost"),
    "report_dot": ("phản ánh mở", "open report"),
}


def words(key: str, language: str, **places: object) -> str:
    """The words of a key in `vi` or `en`, with its places filled. Raises `KeyError` for a key or place that is missing."""
    return WORDS[key][language == "en"].format(**places)
