"""A seeded, believable province: what its agencies would send, as records for Kafka.

Reading order: `clock` and `dice` (time and chance), `scenes` (what is staged on top of ordinary life), `world` (who is there, by
the units of the day), `steps`, then a life per kind (`filings`, `feedback`, `documents`, `meetings`, `indicators`), `handover`
(what is open when its units end), `delivery` (what goes wrong on the way here), `stream` (records in order of arrival), `staging`
(which scenes a run has), `state` (how far a run has come), `run` (backfill and live) and `cli`.

Everything is invented: no person, telephone number or filing in it exists.
"""

from ingest.simulator.stream import Ledger, SimulatedRecord, Stream, events
from ingest.simulator.world import World

__all__ = ["Ledger", "SimulatedRecord", "Stream", "World", "events"]
