"""Simulate a believable province from a seed: what its agencies would send, as records for Kafka.

Reading order: `clock` and `dice` (time and chance), `scenes` (staged events on top of ordinary
ones), `world` (agencies and communes, by the units of the day), `steps`, then the histories of each
kind (`filings`, `feedback`, `documents`, `meetings`, `indicators`), `handover` (open entities when
their units end), `delivery` (faults on the way here), `stream` (records in order of arrival),
`staging` (which scenes a run has), `state` (how far a run has come), `run` (backfill and live) and
`cli`.

Everything is invented: no person, telephone number or filing in it exists.
"""

from ingest.simulator.stream import Ledger, SimulatedRecord, Stream, events
from ingest.simulator.world import World

__all__ = ["Ledger", "SimulatedRecord", "Stream", "World", "events"]
