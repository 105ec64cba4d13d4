"""Bring events into Kafka: over HTTP, from files, and from a simulated province.

Reading order: `producer` (the one Kafka producer), `topics` (created if missing), `gateway` (HTTP,
for agencies), `importer` (CSV, XLSX and NDJSON files, by the mappings in `mappings/`), `simulator`
(a believable province). `python -m ingest` has a command for each.
"""
