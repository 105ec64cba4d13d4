"""Simulate citizens' field reports: everyday ones, and those of a storm."""

from collections.abc import Iterator
from functools import cache

from ingest.simulator.clock import HOUR, MINUTE, SECOND, moment
from ingest.simulator.dice import Choice, Dice
from ingest.simulator.scenes import Storm
from ingest.simulator.steps import SimulatedStep
from ingest.simulator.world import OUTDOORS, World
from schemas.events.codes import FeedbackStatus, Urgency
from schemas.events.payloads import Feedback
from schemas.places import Commune
from schemas.reference import Category, category

PER_DAY, WEEKEND = 430, 0.85
REJECTED, RATED, REOPENED = 0.24, 0.38, 0.35
"""Shares of reports rejected, of results rated, of bad ratings that reopen a report."""
SHARES = {
    "environment": 18,
    "traffic": 14,
    "roads": 13,
    "urban-order": 14,
    "construction": 8,
    "electricity": 6,
    "water": 6,
    "flooding": 1,
    "trees": 3,
    "security": 5,
    "food-safety": 3,
    "other": 7,
}
RAINS = {"flooding": 5.0, "trees": 2.0, "roads": 1.3, "electricity": 1.2}
HEAT = {"electricity": 2.0, "water": 1.9, "environment": 1.3, "food-safety": 1.5}
SEASONS = {9: RAINS, 10: RAINS, 11: RAINS, 12: RAINS, 5: HEAT, 6: HEAT, 7: HEAT, 8: HEAT}
"""By month, how much more often than usual a category is reported."""
STORM_SHARES = {"flooding": 62, "trees": 17, "electricity": 14, "roads": 7}
WORDS = {
    "environment": (
        "Rác thải tồn đọng chưa thu gom",
        "Mùi hôi từ cống thoát nước",
        "Đốt rác gây khói bụi",
    ),
    "traffic": (
        "Xe tải đỗ chiếm lòng đường",
        "Đèn tín hiệu không hoạt động",
        "Xe chạy ngược chiều",
    ),
    "roads": ("Mặt đường có ổ gà lớn", "Nắp hố ga bị vỡ", "Vỉa hè hư hỏng"),
    "urban-order": (
        "Lấn chiếm vỉa hè buôn bán",
        "Quảng cáo rao vặt sai quy định",
        "Gây ồn quá giờ quy định",
    ),
    "construction": (
        "Xây dựng không che chắn",
        "Vật liệu xây dựng đổ ra đường",
        "Nghi xây dựng không phép",
    ),
    "electricity": ("Mất điện khu dân cư", "Dây điện sà thấp", "Đèn chiếu sáng không sáng"),
    "water": ("Mất nước sinh hoạt", "Vỡ ống cấp nước", "Nước đục có mùi"),
    "flooding": (
        "Đường ngập sâu không qua lại được",
        "Nước tràn vào nhà dân",
        "Kênh thoát nước bị tắc gây ngập",
    ),
    "trees": (
        "Cây xanh gãy đổ chắn đường",
        "Cành cây có nguy cơ rơi",
        "Cây nghiêng sát đường dây điện",
    ),
    "security": (
        "Nhóm người gây rối trật tự",
        "Nghi trộm cắp tài sản",
        "Cho vay nặng lãi dán tờ rơi",
    ),
    "food-safety": (
        "Quán ăn không bảo đảm vệ sinh",
        "Thực phẩm không rõ nguồn gốc",
        "Nghi ngộ độc thực phẩm",
    ),
    "other": ("Đề nghị hướng dẫn thủ tục", "Góp ý về dịch vụ công", "Phản ánh nội dung khác"),
}
FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Võ", "Đặng", "Bùi", "Hồ")
MIDDLE = ("Văn", "Thị", "Đức", "Minh", "Ngọc", "Thanh")
GIVEN = (
    "An",
    "Bình",
    "Chi",
    "Dũng",
    "Giang",
    "Hà",
    "Khánh",
    "Lan",
    "Nam",
    "Phương",
    "Quỳnh",
    "Sơn",
    "Thảo",
    "Tú",
    "Yến",
)
"""Parts of invented names of reporters.

Their telephone numbers begin with 0000, which no real number does.
"""
PLACES = (
    "gần chợ",
    "gần trường học",
    "gần trạm y tế",
    "đầu kiệt",
    "ngã ba đường chính",
    "khu dân cư",
    "sau nhà văn hóa",
)


@cache
def _month(number: int) -> Choice[str]:
    season = SEASONS.get(number, {})
    return Choice(tuple(SHARES), [share * season.get(code, 1.0) for code, share in SHARES.items()])


STORM_SPREAD = 0.25
"""The reports of a storm lie close together: within that part of the commune's radius."""
STORMY = Choice(tuple(STORM_SHARES), tuple(STORM_SHARES.values()))


def generate(world: World, hour: int, dice: Dice, layer: int) -> Iterator[SimulatedStep]:
    """Yield the whole histories of the everyday reports of an hour."""
    month = _month(moment(hour).month)
    for number in range(1, dice.count(world.expected(hour, PER_DAY, OUTDOORS, WEEKEND)) + 1):
        at = hour + int(dice.random() * HOUR)
        yield from _life(
            world,
            at,
            _category(month.pick(dice)),
            world.crowd.pick(dice),
            dice,
            f"{layer:02d}{number:03d}",
        )


def storms(world: World, hour: int) -> Iterator[tuple[Dice, Iterator[SimulatedStep]]]:
    """Yield the histories of reports of storms that hit in an hour, with chances of their own."""
    for scene, storm in enumerate(world.scenes):
        if not isinstance(storm, Storm):
            continue
        first = max(0, -((storm.since - hour) // storm.every))
        for burst in range(
            storm.since + first * storm.every, min(storm.until, hour + HOUR), storm.every
        ):
            turn = (burst - storm.since) // storm.every * storm.communes
            hit = [world.lowland[(turn + k) % len(world.lowland)] for k in range(storm.communes)]
            for number in range(1, storm.reports + 1):
                dice = world.dice("storm", scene, burst, number)
                # Most come early: a storm is reported when it begins to cause damage.
                at = burst + int(storm.length * dice.random() ** 1.4)
                if at < storm.until:
                    of, name = (
                        _category(STORMY.pick(dice)),
                        f"S{scene}-{burst // SECOND % 86_400}-{number}",
                    )
                    yield dice, _life(world, at, of, dice.choose(hit), dice, name, STORM_SPREAD)


def _invented_reporter(number: int) -> str:
    """Return an invented reporter, as an agency's system would name one.

    It is encrypted on its way to Kafka, like any other.
    """
    number, given = divmod(number, len(GIVEN))
    number, middle = divmod(number, len(MIDDLE))
    number, family = divmod(number, len(FAMILY))
    digits = f"{number // 1000 % 1000:03d} {number % 1000:03d}"
    return f"{FAMILY[family]} {MIDDLE[middle]} {GIVEN[given]}, 0000 {digits}"


def _category(code: str) -> Category:
    found = category(code)
    assert found is not None, f"categories.csv lacks {code}"
    return found


def _life(
    world: World,
    at: int,
    of: Category,
    commune: Commune,
    dice: Dice,
    number: str,
    spread: float = 0.6,
) -> Iterator[SimulatedStep]:
    here = moment(at)
    report = f"PA-{world.prefix}-{here:%y%m%d}-{here.hour:02d}{number}"
    lat, lon = world.point(commune, dice, spread)
    centre = world.body("IOC")
    handler = world.body(of.body) if of.body else world.committee(commune)
    work, steps = world.clock.add, 0
    due = finished = None
    fixed = {
        "commune": commune.code,
        "report_id": report,
        "category": of.code,
        "urgency": of.urgency,
        "reported_at": here,
        "lat": lat,
        "lon": lon,
        "address": f"{dice.choose(PLACES)}, {commune.full_name}",
        "description": dice.choose(WORDS[of.code]),
        "media": [f"urn:vn:media:{report}"] if dice.happens(0.7) else [],
        "reporter": _invented_reporter(int(dice.random() * 2**52)),
    }

    def step(
        status: FeedbackStatus, agency: str, at: int, rating: int | None = None
    ) -> SimulatedStep:
        nonlocal steps
        steps += 1
        event = Feedback(
            agency=agency,
            status=status,
            due_at=due,
            finished_at=finished,
            rating=rating,
            **fixed,  # type: ignore[arg-type]
        )
        return SimulatedStep(at, f"{report}/{steps}", agency, event)

    yield step(FeedbackStatus.RECEIVED, centre, at)
    staffed = 6 <= here.hour < 22
    at += int(dice.wait(12 * MINUTE if staffed else 40 * MINUTE)) + 30 * SECOND
    if dice.happens(REJECTED):
        finished = moment(at)
        yield step(FeedbackStatus.REJECTED, centre, at)
        return
    yield step(FeedbackStatus.VERIFIED, centre, at)
    at += int(dice.wait(8 * MINUTE)) + 20 * SECOND
    allowed = of.hours * HOUR
    immediate = of.urgency is Urgency.IMMEDIATE
    # Immediate matters are handled round the clock, the others in working time.
    end_after = (lambda start, effort: start + int(effort)) if immediate else work
    due = moment(end_after(at, allowed))
    yield step(FeedbackStatus.ROUTED, handler, at)
    routed, effort = at, allowed * dice.pace(world.lateness(handler))
    at = end_after(routed, min(dice.wait(0.15 * allowed), 0.6 * effort) + MINUTE)
    yield step(FeedbackStatus.PROCESSING, handler, at)
    at = max(end_after(routed, effort), at + MINUTE)
    finished = moment(at)
    yield step(FeedbackStatus.PUBLISHED, handler, at)
    if not dice.happens(RATED):
        return
    good = dice.happens(0.94 if finished <= due else 0.6)
    rating = int(dice.between(4, 6) if good else dice.between(1, 4))
    at += int(dice.wait(9 * HOUR)) + MINUTE
    yield step(FeedbackStatus.RATED, centre, at, rating)
    if rating <= 2 and dice.happens(REOPENED):
        at, finished = at + int(dice.wait(2 * HOUR)) + MINUTE, None
        due = moment(end_after(at, allowed))
        yield step(FeedbackStatus.REOPENED, centre, at)
        at = end_after(at, 0.1 * allowed)
        yield step(FeedbackStatus.PROCESSING, handler, at)
        at = end_after(at, 0.6 * allowed)
        finished = moment(at)
        yield step(FeedbackStatus.PUBLISHED, handler, at)
