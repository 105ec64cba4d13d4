"""Count what the gateway does, for Prometheus."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingest.gateway.notices import CLOCK_AHEAD, UNKNOWN_CODE

if TYPE_CHECKING:
    from ingest.gateway.intake import Intake


class GatewayMetrics:
    """The counters of one gateway, in a registry of their own."""

    def __init__(self, beat_age: Callable[[], float], remembered: Callable[[], int]) -> None:
        """Create the counters.

        Args:
            beat_age: returns the seconds since a heartbeat was last acknowledged.
            remembered: returns how many identities are held to answer resends.
        """
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "ioc_gateway_requests",
            "Requests to /v1/events by status code.",
            ["code"],
            registry=registry,
        )
        self.events = Counter(
            "ioc_gateway_events",
            "Events by kind and outcome.",
            ["kind", "outcome"],
            registry=registry,
        )
        self.refusals = Counter(
            "ioc_gateway_refusals", "Refused events by category.", ["category"], registry=registry
        )
        self.ahead = Counter(
            "ioc_gateway_events_ahead",
            "Accepted events whose time is ahead of their arrival: a wrong clock.",
            ["kind"],
            registry=registry,
        )
        self.unknown = Counter(
            "ioc_gateway_unknown_codes",
            "Codes of accepted events that the reference data lacks, by field.",
            ["kind", "field"],
            registry=registry,
        )
        self.corrected = Counter(
            "ioc_gateway_mended_codes",
            "Codes of accepted events that were corrected, such as a commune's with its zero lost.",
            ["kind", "field"],
            registry=registry,
        )
        self.bytes = Counter(
            "ioc_gateway_body_bytes", "Bytes of the bodies that were read.", registry=registry
        )
        self.acknowledgement = Histogram(
            "ioc_gateway_acknowledgement_seconds",
            "From reading a request's first event to the broker's acknowledgement of the last.",
            registry=registry,
        )
        age = Gauge(
            "ioc_gateway_heartbeat_age_seconds",
            "Seconds since a heartbeat was last acknowledged by Kafka.",
            registry=registry,
        )
        age.set_function(beat_age)
        held = Gauge(
            "ioc_gateway_remembered_events", "Identities held to answer resends.", registry=registry
        )
        held.set_function(remembered)

    def observe(self, intake: "Intake", seconds: float) -> None:
        """Count the events of a request that was answered."""
        for (kind, outcome), count in intake.outcomes.items():
            self.events.labels(kind, outcome).inc(count)
        for (kind, what, field), count in intake.notices.items():
            if what == CLOCK_AHEAD:
                self.ahead.labels(kind).inc(count)
            else:
                counter = self.unknown if what == UNKNOWN_CODE else self.corrected
                counter.labels(kind, field).inc(count)
        for category, count in intake.refusals.items():
            self.refusals.labels(category).inc(count)
        self.acknowledgement.observe(seconds)
