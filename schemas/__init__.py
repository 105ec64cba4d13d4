"""What exists: the vocabulary that ingest, streams and dashboard share.

Reading order: `settings` (how a process is told where things are), `codes` (code lists with their words), `events` (the five
kinds, as types), `measures` (how a measure is declared), `kinds` (key, dimensions and measures of each kind), `envelope`
(CloudEvents on the wire), `seal` (who reported, opaque from the first moment), `partitions` (where in Kafka an event lies),
`topics` and `tables` (Kafka topics, ClickHouse tables and views derived from the kinds), `worktime`, `lives` and `derivation`
(entities' lives with their deadlines, from the events), `figures` (what a province is run by, from the lives), `documents` (JSON
Schema and data dictionary derived from them), `places` (provinces, communes, outlines) and `reference` (agencies, procedures,
calendar, targets).
"""
