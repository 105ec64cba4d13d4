"""What exists: the vocabulary that ingest, streams and dashboard share.

Reading order: `settings` (how a process is told where things are), `codes` (code lists with their words), `events` (the five
kinds, as types), `measures` (how a measure is declared), `kinds` (key, dimensions and measures of each kind), `envelope`
(CloudEvents on the wire), `seal` (who reported, opaque from the first moment), `refusals` (what a refused input says of itself),
`partitions` (where in Kafka an event lies), `topics`, `columns`, `tables` and `watch_tables` (Kafka topics, ClickHouse tables and
views derived from the kinds), `worktime`, `lives` and `derivation` (entities' lives with their deadlines, from the events),
`figures` (what a province is run by, from the lives), `documents` (JSON Schema and data dictionary derived from them), `places`
(provinces, communes, outlines), `reference` (agencies, procedures, calendar, targets, criteria, rules of alarms), `freshness` (is
a source alive?) and `timeliness` (was it?), `periods` (of reported figures), `scores` (how well it goes by figures and reports),
and `catalogue` (criteria and targets for the data dictionary). For every process: `logs` (one line per record); for every server:
`http` (limits, allowed hosts, response headers, access lines).
"""
