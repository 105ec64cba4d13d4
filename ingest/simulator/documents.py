"""Simulate e-documents on the interchange axis, sender to receivers, and a stuck flash one."""

from collections.abc import Iterator

from ingest.simulator.clock import DAY, HOUR, MINUTE, SECOND, moment
from ingest.simulator.dice import Choice, Dice
from ingest.simulator.scenes import Stuck
from ingest.simulator.steps import SimulatedStep
from ingest.simulator.world import IN_OFFICES, World
from schemas.events.codes import DocumentAction, DocumentStatus, Priority
from schemas.events.payloads import Document
from schemas.places import Commune

SENDINGS_PER_DAY, WEEKEND = 560, 0.03
REFUSED, RECALLED, SIGNED, ORDERS = 0.012, 0.005, 0.965, 0.45
"""Shares of documents that are refused, recalled, signed digitally, and that set a deadline."""
PRIORITIES = Choice(tuple(Priority), (85, 10.5, 3.7, 0.8))
RECEIVE = {
    Priority.NORMAL: 2.2 * HOUR,
    Priority.URGENT: 50 * MINUTE,
    Priority.VERY_URGENT: 20 * MINUTE,
    Priority.FLASH: 5 * MINUTE,
}
WITHIN = {
    Priority.NORMAL: 37.5 * HOUR,
    Priority.URGENT: 15 * HOUR,
    Priority.VERY_URGENT: 7.5 * HOUR,
    Priority.FLASH: 3 * HOUR,
}
"""Mean time until receipt, and time to do it; working time, but round the clock for flash."""
TYPES = Choice(
    (
        ("Công văn", ""),
        ("Thông báo", "TB-"),
        ("Báo cáo", "BC-"),
        ("Quyết định", "QĐ-"),
        ("Kế hoạch", "KH-"),
        ("Giấy mời", "GM-"),
    ),
    (58, 12, 13, 8, 6, 3),
)
SUBJECTS = (
    "Về việc tăng cường ứng phó mưa lũ trên địa bàn",
    "Về việc báo cáo tiến độ giải quyết hồ sơ thủ tục hành chính",
    "Về việc triển khai số hóa kết quả giải quyết thủ tục hành chính",
    "Về việc rà soát dữ liệu đất đai",
    "Về việc cung cấp số liệu chỉ tiêu kinh tế - xã hội",
    "Về việc xử lý phản ánh hiện trường quá hạn",
    "Về việc tổ chức họp trực tuyến đến cấp xã",
    "Về việc bảo đảm an toàn thông tin",
    "Về việc phòng cháy, chữa cháy",
    "Về việc thực hiện thanh toán không dùng tiền mặt",
    "Về việc phối hợp kiểm tra an toàn thực phẩm",
    "Về việc chỉnh trang đô thị",
)
REASONS = ("Không thuộc thẩm quyền", "Sai thể thức", "Gửi nhầm nơi nhận", "Thiếu phụ lục kèm theo")
TO_COMMUNES, TO_PROVINCE = 0.45, 0.35
Receiver = tuple[str, str]
"""Code of an agency and of its commune."""


def generate(world: World, hour: int, dice: Dice, layer: int) -> Iterator[SimulatedStep]:
    """Yield the whole histories of the documents that are sent in an hour."""
    here = moment(hour)
    for number in range(
        1, dice.count(world.expected(hour, SENDINGS_PER_DAY, IN_OFFICES, WEEKEND)) + 1
    ):
        sender, receivers = _correspondents(world, dice)
        yield from _sending(
            world,
            hour + int(dice.random() * HOUR),
            sender,
            receivers,
            dice,
            (layer * 24 + here.hour) * 1000 + number,
        )


def stuck(world: World, hour: int) -> Iterator[tuple[Dice, Iterator[SimulatedStep]]]:
    """Yield the only step of each flash document that arrives in an hour and is never received."""
    for number, scene in enumerate(world.scenes):
        if isinstance(scene, Stuck) and hour <= scene.since < hour + HOUR:
            sender = world.body("VP")
            sent = scene.since - 20 * SECOND
            commune = next(
                (one.code for one in world.communes if world.committee(one) == scene.agency), ""
            )
            notation = "CĐ-UBND"
            document = f"{sender},{moment(sent):%Y/%m/%d},{99000 + number}/{notation}"
            event = Document(
                agency=scene.agency,
                commune=commune,
                document_id=document,
                from_organ=sender,
                to_organ=scene.agency,
                number=str(99000 + number),
                notation=notation,
                document_type="Công điện",
                subject="Công điện hỏa tốc về ứng phó mưa lũ",
                priority=Priority.FLASH,
                status=DocumentStatus.ARRIVED,
                signed=True,
                steering="1",
                sent_at=moment(sent),
                due_at=moment(sent + HOUR),
            )
            step = SimulatedStep(scene.since, f"{document}/{scene.agency}/1", scene.agency, event)
            yield world.dice("stuck", number), iter((step,))


def _correspondents(world: World, dice: Dice) -> tuple[str, list[Receiver]]:
    way = dice.random()
    office = dice.choose(world.offices).code
    commune = world.crowd.pick(dice)
    if world.districts:
        return _through_districts(world, dice, way, office, commune)
    if way < TO_COMMUNES:
        sender = world.body("VP") if dice.happens(0.4) else office
        spread = dice.random()
        if spread < 0.12:
            return sender, [_committee(world, one) for one in world.communes if dice.happens(0.5)]
        many = 1 if spread < 0.75 else int(dice.between(2, 6))
        return sender, list(
            dict.fromkeys(_committee(world, world.crowd.pick(dice)) for _ in range(many))
        )
    if way < TO_COMMUNES + TO_PROVINCE:
        return world.committee(commune), [(office, "")]
    other = [one.code for one in world.offices if one.code != office]
    return office, list(
        dict.fromkeys((dice.choose(other), "") for _ in range(1 + dice.happens(0.3)))
    )


def _through_districts(
    world: World, dice: Dice, way: float, office: str, commune: Commune
) -> tuple[str, list[Receiver]]:
    """Return sender and receivers before the reform.

    The province writes to districts and a district to its communes, and each back to the level
    above.
    """
    district = commune.district or commune.code
    committee = world.district_committee(district)
    down, up = TO_COMMUNES / 2, TO_PROVINCE / 2
    if way < down:
        sender = world.body("VP") if dice.happens(0.4) else office
        if dice.happens(0.12):
            return sender, [(world.district_committee(one), "") for one in world.districts]
        return sender, [(committee, "")]
    if way < 2 * down:
        if dice.happens(0.2):
            return committee, [
                _committee(world, one)
                for one in world.communes
                if one.district == district and one.code != district
            ]
        return committee, [_committee(world, commune)]
    if way < 2 * down + up:
        return world.committee(commune), [(committee, "")]
    if way < 2 * (down + up):
        return committee, [(office, "")]
    return office, [(dice.choose([one.code for one in world.offices if one.code != office]), "")]


def _committee(world: World, commune: Commune) -> Receiver:
    return world.committee(commune), commune.code


def _sending(
    world: World, sent: int, sender: str, receivers: list[Receiver], dice: Dice, number: int
) -> Iterator[SimulatedStep]:
    kind, mark = TYPES.pick(dice)
    office = "UBND"
    if not sender.endswith(".UB"):
        office = sender.removeprefix(world.prefix + ".").removesuffix(".UB")
    notation = f"{mark}{office}"
    priority = PRIORITIES.pick(dice)
    order = priority is not Priority.NORMAL or dice.happens(ORDERS)
    due = None
    if order:
        due = (
            sent + int(WITHIN[priority])
            if priority is Priority.FLASH
            else world.clock.add(sent, WITHIN[priority])
        )
    fixed = {
        "document_id": f"{sender},{moment(sent):%Y/%m/%d},{number}/{notation}",
        "from_organ": sender,
        "number": str(number),
        "notation": notation,
        "document_type": kind,
        "subject": dice.choose(SUBJECTS),
        "priority": priority,
        "signed": dice.happens(SIGNED),
        "steering": "1" if order else "",
        "sent_at": moment(sent),
        "due_at": None if due is None else moment(due),
    }
    for agency, commune in receivers:
        yield from _delivery(
            world,
            sent,
            priority,
            dice,
            {**fixed, "agency": agency, "to_organ": agency, "commune": commune},
        )


def _delivery(
    world: World, sent: int, priority: Priority, dice: Dice, fixed: dict[str, object]
) -> Iterator[SimulatedStep]:
    agency, steps = str(fixed["agency"]), 0

    def step(status: DocumentStatus, at: int, **more: object) -> SimulatedStep:
        nonlocal steps
        steps += 1
        event = Document(status=status, **fixed, **more)  # type: ignore[arg-type]
        return SimulatedStep(at, f"{fixed['document_id']}/{agency}/{steps}", agency, event)

    flash = priority is Priority.FLASH
    work = (lambda start, effort: start + int(effort)) if flash else world.clock.add
    slow = 2.5 if agency in world.slow else 1.0
    at = sent + int(dice.wait(15 * SECOND)) + 2 * SECOND
    yield step(DocumentStatus.ARRIVED, at)
    if dice.happens(RECALLED):
        at += int(dice.wait(30 * MINUTE)) + MINUTE
        reason = dice.choose(REASONS)
        yield step(DocumentStatus.RECALL_ASKED, at, action=DocumentAction.RECALL, reason=reason)
        at = work(at, dice.wait(HOUR) + MINUTE)
        agreed = dice.happens(0.8)
        status = DocumentStatus.RECALL_AGREED if agreed else DocumentStatus.RECALL_REFUSED
        yield step(
            status,
            at,
            action=DocumentAction.RECALL,
            reason=reason,
            finished_at=moment(at) if agreed else None,
        )
        if agreed:
            return
    at = work(at, dice.wait(RECEIVE[priority] * slow) + 20 * SECOND)
    if dice.happens(REFUSED):
        yield step(DocumentStatus.REFUSED, at, reason=dice.choose(REASONS), finished_at=moment(at))
        return
    received = at
    yield step(DocumentStatus.RECEIVED, at)
    at = work(at, dice.wait(0.05 * WITHIN[priority] * slow) + 20 * SECOND)
    yield step(DocumentStatus.ASSIGNED, at)
    effort = WITHIN[priority] * dice.pace(world.lateness(agency)) * 0.9
    if dice.happens(0.6):
        at = work(at, min(dice.wait(0.1 * WITHIN[priority]), 0.3 * effort) + 20 * SECOND)
        yield step(DocumentStatus.PROCESSING, at)
    at = min(max(work(received, effort), at + MINUTE), received + 25 * DAY)
    yield step(DocumentStatus.DONE, at, finished_at=moment(at))
