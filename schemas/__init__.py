"""What exists: the vocabulary that ingest, streams and dashboard share.

Reading order: `settings` (how a process is told where things are), `codes` (status and category codes with their words), `events`
(the five kinds, as types), `kinds` (topic, dimensions and measures of each kind), `envelope` (CloudEvents on the wire),
`windows` (tumbling windows), `tables` (ClickHouse tables derived from the kinds), `documents` (JSON Schema and the data
dictionary derived from them), `places` (provinces, communes, outlines) and `reference` (agencies, procedures, calendar).
"""
