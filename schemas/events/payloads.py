"""The five kinds of event, declared once: everything else about a field is derived from its line here.

One event is one step in the life of one entity (a filing, a field report, a document, a meeting, an indicator's figure) and carries
the entity whole, as its source knows it at that moment, so that the newest step is the entity's state. Times carry an offset
from UTC and are kept to the millisecond. Sources of the formats: QCVN 102:2016/BTTTT (documents), Open311 GeoReport v2
(field reports), the status and channel lists of the national public-service portal (filings).
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.events.codes import (
    Applicant,
    Channel,
    Digitisation,
    DocumentAction,
    DocumentStatus,
    FeedbackStatus,
    FilingStatus,
    MeetingState,
    Priority,
    Reuse,
    ServiceLevel,
    Urgency,
)

CODE = "code"
"""Marks a text that is one of few values (an agency, a commune, a category): stored as a dictionary, offered as a filter."""

COMMUNE, IDENTIFIER, SITES = "commune", "identifier", "sites"
"""Mark a code of a commune, the number of an entity, and a list of sites: each has a canonical form
(`schemas.events.canonical`)."""

Moment = Annotated[datetime, Meta(tz=True)]
Code = Annotated[str, Meta(max_length=64, extra={CODE: True})]
RequiredCode = Annotated[str, Meta(min_length=1, max_length=64, extra={CODE: True})]
CommuneCode = Annotated[str, Meta(max_length=16, extra={CODE: True, COMMUNE: True})]
UnitCode = Annotated[str, Meta(min_length=1, max_length=64, extra={CODE: True, COMMUNE: True})]
Identifier = Annotated[str, Meta(min_length=1, max_length=128, extra={IDENTIFIER: True})]
Sites = Annotated[
    list[Annotated[str, Meta(max_length=64)]], Meta(max_length=4000, extra={SITES: True})
]
Precision = Annotated[
    list[Annotated[str, Meta(pattern="^[a-z_]+:(day|minute)$", extra={CODE: True})]],
    Meta(max_length=8),
]
Text = Annotated[str, Meta(max_length=4096)]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Stars = Annotated[int, Meta(ge=1, le=5)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


def says(sentence: str) -> Meta:
    """The sentence of a field: its column comment, its JSON Schema description, its line in the data dictionary."""
    return Meta(description=sentence)


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """What every kind carries."""

    agency: Annotated[
        RequiredCode, says("Code of the agency that answers for the entity at this step.")
    ]
    commune: Annotated[
        CommuneCode, says("Code of the commune it belongs to; empty for the province as a whole.")
    ] = ""
    precision: Annotated[
        Precision | UnsetType,
        says(
            "Moments known less exactly than to the second, as `due_at:day` or `time:minute` (`time` is the event's own). A moment "
            "that is sent as a date, `2026-11-25`, is noted here. A due date lasts to the end of its day, and steps of one day "
            "follow the legal order."
        ),
    ] = UNSET


class Filing(Event, frozen=True, kw_only=True, gc=False):
    """A step in the life of a public-service filing (hồ sơ thủ tục hành chính)."""

    filing_id: Annotated[Identifier, says("Number of the filing, unique in the country.")]
    procedure: Annotated[
        RequiredCode, says("Code of the administrative procedure, such as 1.005129.")
    ]
    status: Annotated[
        FilingStatus, says("Status that this step brings: 1 registered to 10 result returned.")
    ]
    channel: Annotated[Channel, says("How it came in: 1 in person, 2 online, 3 public post.")]
    service_level: Annotated[
        ServiceLevel, says("How much of the procedure can be done online.")
    ] = ServiceLevel.PARTIAL
    applicant: Annotated[
        Applicant, says("Who files: 0 citizen, 1 enterprise, 2 household business.")
    ] = Applicant.CITIZEN
    registered_at: Annotated[Moment, says("When the filing was registered.")]
    due_at: Annotated[
        Moment | None, says("When the result is due, by the working calendar of its day.")
    ] = None
    finished_at: Annotated[
        Moment | None, says("When processing ended, with or without a result.")
    ] = None
    fee: Annotated[Count, says("Fees and charges, in đồng.")] = 0
    paid_online: Annotated[bool, says("Whether fees were paid without cash, online.")] = False
    digitisation: Annotated[Digitisation, says("What of its papers exists as data.")] = (
        Digitisation.NONE
    )
    reuse: Annotated[Reuse, says("Whether data the state already holds was used again.")] = (
        Reuse.NONE
    )
    satisfaction: Annotated[
        Stars | None, says("The applicant's rating of the service, 1 to 5.")
    ] = None


class Feedback(Event, frozen=True, kw_only=True, gc=False):
    """A step of a citizen's field report (phản ánh hiện trường)."""

    report_id: Annotated[Identifier, says("Number of the report.")]
    category: Annotated[RequiredCode, says("Code of the category, such as environment or traffic.")]
    status: Annotated[FeedbackStatus, says("Status that this step brings.")]
    urgency: Annotated[
        Urgency, says("Whether it was routed with a deadline or for immediate handling.")
    ] = Urgency.TIMED
    reported_at: Annotated[Moment, says("When the citizen reported.")]
    due_at: Annotated[Moment | None, says("When the agency must have answered.")] = None
    finished_at: Annotated[Moment | None, says("When the result was published.")] = None
    lat: Annotated[Latitude | None, says("Latitude of the place, WGS84 degrees.")] = None
    lon: Annotated[Longitude | None, says("Longitude of the place, WGS84 degrees.")] = None
    address: Annotated[Text, says("Where, in words.")] = ""
    description: Annotated[Text, says("What the citizen reports, without personal data.")] = ""
    media: Annotated[list[str], Meta(max_length=20), says("Addresses of pictures and films.")] = []
    rating: Annotated[Stars | None, says("The citizen's rating of the result, 1 to 5.")] = None
    reporter: Annotated[
        Text,
        says(
            "The reporter's sealed identity: opaque, opened only by authorised staff of the centre."
        ),
    ] = ""


class Document(Event, frozen=True, kw_only=True, gc=False):
    """A step of an e-document on the interchange axis (trục liên thông văn bản)."""

    document_id: Annotated[
        Identifier, says("`{OrganId},{yyyy/MM/dd},{number}/{notation}` of QCVN 102:2016.")
    ]
    from_organ: Annotated[RequiredCode, says("Organisation code of the sender.")]
    to_organ: Annotated[RequiredCode, says("Organisation code of the receiver.")]
    number: Annotated[Text, says("Number of the document.")] = ""
    notation: Annotated[Text, says("Notation of the document, such as UBND-VP.")] = ""
    document_type: Annotated[
        Code, says("Type of the document, such as Công văn or Quyết định.")
    ] = ""
    subject: Annotated[Text, says("What it is about.")] = ""
    priority: Annotated[
        Priority, says("0 normal, 1 urgent, 2 very urgent, 3 flash (hỏa tốc), 4 the same, timed.")
    ] = Priority.NORMAL
    action: Annotated[DocumentAction, says("0 new, 1 recall, 2 update, 3 replace.")] = (
        DocumentAction.NEW
    )
    status: Annotated[DocumentStatus, says("Status at the receiver that this step brings.")]
    reason: Annotated[Text, says("Why it was refused or is to be recalled.")] = ""
    signed: Annotated[bool, says("Whether it carries a valid digital signature.")] = False
    steering: Annotated[Code, says("Kind of steering (SteeringType), when it gives an order.")] = ""
    sent_at: Annotated[Moment, says("When the sender sent it.")]
    due_at: Annotated[Moment | None, says("When it must be done.")] = None
    finished_at: Annotated[Moment | None, says("When the receiver was done with it.")] = None


class Meeting(Event, frozen=True, kw_only=True, gc=False):
    """A step of a video conference from the province to its communes."""

    meeting_id: Annotated[Identifier, says("Number of the meeting.")]
    title: Annotated[Text, says("What it is about.")] = ""
    state: Annotated[MeetingState, says("State that this step brings.")]
    starts_at: Annotated[Moment, says("When it starts or started.")]
    ends_at: Annotated[Moment | None, says("When it ends or ended.")] = None
    invited: Annotated[Sites, says("Codes of the sites that are invited.")] = []
    connected: Annotated[Sites, says("Codes of the sites that are connected at this step.")] = []


class Indicator(Event, frozen=True, kw_only=True, gc=False):
    """A reported figure of an indicator for a period and a unit."""

    indicator: Annotated[RequiredCode, says("Code of the indicator.")]
    unit: Annotated[
        UnitCode, says("Code of the province, commune or agency that the figure is about.")
    ]
    period: Annotated[
        RequiredCode, says("Period of the figure: 2026, 2026-Q4, 2026-11 or 2026-11-22.")
    ]
    value: Annotated[float, says("The figure.")]
    measure_unit: Annotated[Code, says("Unit of measure, such as % or đồng.")] = ""
    reported_at: Annotated[Moment, says("When the figure was reported.")]


class Heartbeat(Struct, frozen=True, kw_only=True):
    """What a gateway sends into Kafka each second: that it reaches ClickHouse shows the screens that the whole path is alive."""

    gateway: Annotated[str, Meta(min_length=1, max_length=256)]
    sent_at: Moment


class Repeats(Struct, frozen=True, kw_only=True):
    """The records of a partition that a worker dropped, as their events were there before: runs of offsets, first and last."""

    topic: Annotated[str, Meta(min_length=1, max_length=256)]
    partition: Annotated[int, Meta(ge=0)]
    runs: list[tuple[int, int]]


class Refused(Struct, frozen=True, kw_only=True):
    """What a gateway refused of one source, counted over some seconds: who has to be told what. It never holds the event itself.

    `reason` is what was wrong with one of them, without what the event says (`schemas.events.refusals.harmless`).
    """

    gateway: Annotated[str, Meta(min_length=1, max_length=256)]
    since: Moment
    until: Moment
    source: Annotated[str, Meta(max_length=512)] = ""
    agency: Annotated[str, Meta(max_length=64)] = ""
    kind: Annotated[str, Meta(max_length=64)] = ""
    category: Annotated[str, Meta(max_length=64)]
    count: Annotated[int, Meta(ge=1, le=1 << 60)]
    reason: Annotated[str, Meta(max_length=1000)] = ""


class Envelope(Struct, frozen=True, kw_only=True, gc=False):
    """CloudEvents 1.0 in structured JSON, with the attributes that we require; beside these, `type` tells the kind of `data`."""

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(min_length=1, max_length=256)]
    source: Annotated[str, Meta(min_length=1, max_length=512)]
    time: Moment
    subject: str | None = None
    datacontenttype: str = "application/json"
