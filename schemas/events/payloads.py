"""Declare the fields of the five kinds of event.

Everything else about a field derives from its line here. One event is one step in the history of
one entity (a filing, a field report, a document, a meeting, an indicator's value) and carries the
entity whole, as its source knows it at that moment, so that the newest step is the entity's state.
Times carry an offset from UTC and are kept to the millisecond. Sources of the formats: QCVN
102:2016/BTTTT (documents), Open311 GeoReport v2 (field reports), the status and channel lists of
the national public-service portal (filings).
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
"""Mark a text with few values, such as an agency: its column is a dictionary, offered as a filter.
"""

COMMUNE, IDENTIFIER, SITES = "commune", "identifier", "sites"
"""Mark a commune's code, an entity's number and a list of sites, each with a canonical form.

The forms are those of `schemas.events.canonical`.
"""

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


def describe(sentence: str) -> Meta:
    """Return the description of a field.

    It is the comment of its column, the description in its JSON Schema and its line in the data
    dictionary.
    """
    return Meta(description=sentence)


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """Fields that every kind has."""

    agency: Annotated[
        RequiredCode, describe("Code of the agency responsible for the entity at this step.")
    ]
    commune: Annotated[
        CommuneCode, describe("Code of the entity's commune; empty for the province as a whole.")
    ] = ""
    precision: Annotated[
        Precision | UnsetType,
        describe(
            "Moments known less exactly than to the second, as `due_at:day` or `time:minute` "
            "(`time` is the event's own). A moment that is sent as a date, `2026-11-25`, is "
            "noted here. A due date lasts to the end of its day, and steps of one day follow "
            "the legal order."
        ),
    ] = UNSET


class Filing(Event, frozen=True, kw_only=True, gc=False):
    """A step in the history of a public-service filing (hồ sơ thủ tục hành chính)."""

    filing_id: Annotated[Identifier, describe("Number of the filing, unique in the country.")]
    procedure: Annotated[
        RequiredCode, describe("Code of the administrative procedure, such as 1.005129.")
    ]
    status: Annotated[
        FilingStatus, describe("Status after this step: 1 registered to 10 result returned.")
    ]
    channel: Annotated[
        Channel, describe("Channel of submission: 1 in person, 2 online, 3 public post.")
    ]
    service_level: Annotated[
        ServiceLevel, describe("How much of the procedure can be done online.")
    ] = ServiceLevel.PARTIAL
    applicant: Annotated[
        Applicant, describe("Applicant: 0 citizen, 1 enterprise, 2 household business.")
    ] = Applicant.CITIZEN
    registered_at: Annotated[Moment, describe("Time at which the filing was registered.")]
    due_at: Annotated[
        Moment | None,
        describe(
            "Time at which the result is due, by the working calendar in force on the day of "
            "registration."
        ),
    ] = None
    finished_at: Annotated[
        Moment | None, describe("Time at which processing ended, with or without a result.")
    ] = None
    fee: Annotated[Count, describe("Fees and charges, in đồng.")] = 0
    paid_online: Annotated[bool, describe("Whether fees were paid without cash, online.")] = False
    digitisation: Annotated[Digitisation, describe("Which of its papers exist as data.")] = (
        Digitisation.NONE
    )
    reuse: Annotated[Reuse, describe("Whether data that the state already holds was reused.")] = (
        Reuse.NONE
    )
    satisfaction: Annotated[
        Stars | None, describe("The applicant's rating of the service, 1 to 5.")
    ] = None


class Feedback(Event, frozen=True, kw_only=True, gc=False):
    """A step in the history of a citizen's field report (phản ánh hiện trường)."""

    report_id: Annotated[Identifier, describe("Number of the report.")]
    category: Annotated[
        RequiredCode, describe("Code of the category, such as environment or traffic.")
    ]
    status: Annotated[FeedbackStatus, describe("Status after this step.")]
    urgency: Annotated[
        Urgency, describe("Whether it was routed with a deadline or for immediate handling.")
    ] = Urgency.TIMED
    reported_at: Annotated[Moment, describe("Time at which the citizen reported.")]
    due_at: Annotated[Moment | None, describe("Time by which the agency must answer.")] = None
    finished_at: Annotated[Moment | None, describe("Time at which the result was published.")] = (
        None
    )
    lat: Annotated[Latitude | None, describe("Latitude of the location, WGS84 degrees.")] = None
    lon: Annotated[Longitude | None, describe("Longitude of the location, WGS84 degrees.")] = None
    address: Annotated[Text, describe("Location in words.")] = ""
    description: Annotated[Text, describe("Description by the citizen, without personal data.")] = (
        ""
    )
    media: Annotated[
        list[str], Meta(max_length=20), describe("Addresses of pictures and videos.")
    ] = []
    rating: Annotated[Stars | None, describe("The citizen's rating of the result, 1 to 5.")] = None
    reporter: Annotated[
        Text,
        describe(
            "The reporter's encrypted identity; only authorised staff of the centre can decrypt it."
        ),
    ] = ""


class Document(Event, frozen=True, kw_only=True, gc=False):
    """A step in the history of an e-document on the interchange axis (trục liên thông văn bản)."""

    document_id: Annotated[
        Identifier, describe("`{OrganId},{yyyy/MM/dd},{number}/{notation}` of QCVN 102:2016.")
    ]
    from_organ: Annotated[RequiredCode, describe("Organisation code of the sender.")]
    to_organ: Annotated[RequiredCode, describe("Organisation code of the receiver.")]
    number: Annotated[Text, describe("Number of the document.")] = ""
    notation: Annotated[Text, describe("Notation of the document, such as UBND-VP.")] = ""
    document_type: Annotated[
        Code, describe("Type of the document, such as Công văn or Quyết định.")
    ] = ""
    subject: Annotated[Text, describe("Subject.")] = ""
    priority: Annotated[
        Priority,
        describe("0 normal, 1 urgent, 2 very urgent, 3 flash (hỏa tốc), 4 the same, timed."),
    ] = Priority.NORMAL
    action: Annotated[DocumentAction, describe("0 new, 1 recall, 2 update, 3 replace.")] = (
        DocumentAction.NEW
    )
    status: Annotated[DocumentStatus, describe("Status at the receiver after this step.")]
    reason: Annotated[Text, describe("Reason for its refusal or recall.")] = ""
    signed: Annotated[bool, describe("Whether it carries a valid digital signature.")] = False
    steering: Annotated[
        Code, describe("Kind of steering (SteeringType), if the document gives an order.")
    ] = ""
    sent_at: Annotated[Moment, describe("Time at which the sender sent it.")]
    due_at: Annotated[Moment | None, describe("Time by which it must be done.")] = None
    finished_at: Annotated[Moment | None, describe("Time at which the receiver finished it.")] = (
        None
    )


class Meeting(Event, frozen=True, kw_only=True, gc=False):
    """A step in the history of a video conference between the province and its communes."""

    meeting_id: Annotated[Identifier, describe("Number of the meeting.")]
    title: Annotated[Text, describe("Subject.")] = ""
    state: Annotated[MeetingState, describe("State after this step.")]
    starts_at: Annotated[Moment, describe("Time at which it starts or started.")]
    ends_at: Annotated[Moment | None, describe("Time at which it ends or ended.")] = None
    invited: Annotated[Sites, describe("Codes of the invited sites.")] = []
    connected: Annotated[Sites, describe("Codes of the sites connected at this step.")] = []


class Indicator(Event, frozen=True, kw_only=True, gc=False):
    """A value of an indicator, reported for a unit and a period."""

    indicator: Annotated[RequiredCode, describe("Code of the indicator.")]
    unit: Annotated[
        UnitCode, describe("Code of the province, commune or agency to which the value applies.")
    ]
    period: Annotated[
        RequiredCode, describe("Period of the value: 2026, 2026-Q4, 2026-11 or 2026-11-22.")
    ]
    value: Annotated[float, describe("The value.")]
    measure_unit: Annotated[Code, describe("Unit of measure, such as % or đồng.")] = ""
    reported_at: Annotated[Moment, describe("Time at which the value was reported.")]


class Heartbeat(Struct, frozen=True, kw_only=True):
    """A record that a gateway sends into Kafka each second.

    Its arrival in ClickHouse shows the screens that the whole path works.
    """

    gateway: Annotated[str, Meta(min_length=1, max_length=256)]
    sent_at: Moment


class Repeats(Struct, frozen=True, kw_only=True):
    """The records of a partition that a worker dropped because their events were counted before.

    `runs` are pairs of offsets, the first and the last of each run.
    """

    topic: Annotated[str, Meta(min_length=1, max_length=256)]
    partition: Annotated[int, Meta(ge=0)]
    runs: list[tuple[int, int]]


class Refused(Struct, frozen=True, kw_only=True):
    """The events of one source that a gateway refused over some seconds.

    They are counted, never kept; the record tells which source to notify, and of what. `reason` is
    the fault of one of them, without its content (`schemas.events.refusals.redacted`).
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
    """The attributes of CloudEvents 1.0 in structured JSON that we require.

    Another one, `type`, gives the kind of `data`.
    """

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(min_length=1, max_length=256)]
    source: Annotated[str, Meta(min_length=1, max_length=512)]
    time: Moment
    subject: str | None = None
    datacontenttype: str = "application/json"
