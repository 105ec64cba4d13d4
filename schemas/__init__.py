"""What exists: the vocabulary that ingest, streams and dashboard share. Nothing in it executes a query.

- `settings`: how a process is told where things are.
- `events`: code lists, payloads, kinds, measures, the envelope on the wire, topics and partitions.
- `clickhouse`: tables and views derived from the kinds, lives of entities with their deadlines, retention.
- `figures`: what a province is run by, from the lives; `scores`: how well it goes by figures and reports.
- `sources`: is a source alive, and was it?
- `reference`: agencies, procedures, calendar, targets, criteria, rules of alarms; `places`: provinces, communes, outlines.
- `seal`: who reported, encrypted from the first moment.
- `documents` and `catalogue`: JSON Schema and the data dictionary, derived from all of these.
- `logs` for every process, `http` for every server: limits, allowed hosts, response headers, access lines.
"""
