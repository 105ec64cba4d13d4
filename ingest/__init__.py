"""Birth to Kafka: everything that brings events in.

Reading order: `producer` (the one Kafka producer), `topics` (made if missing), `gateway` (HTTP, for agencies), `importer` (CSV,
XLSX and NDJSON files, by the mappings in `mappings/`), `simulator` (a believable province). `python -m ingest` has a command for
each.
"""
