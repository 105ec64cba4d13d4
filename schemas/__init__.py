"""Define the vocabulary that ingest, streams and dashboard share; nothing in it executes a query.

- `settings`: the configuration of every process.
- `events`: code lists, payloads, kinds, measures, the envelope on the wire, topics and partitions.
- `clickhouse`: tables and views derived from the kinds, histories of states with their deadlines,
  retention.
- `figures`: the figures that a province is run by, computed from the histories; `scores`: points
  for units and targets, computed from figures and reports.
- `sources`: whether a source sends as agreed, now and in the past.
- `reference`: agencies, procedures, calendar, targets, criteria, alarm rules; `places`:
  provinces, communes, outlines.
- `seal`: encrypts reporters' identities before anything stores them.
- `documents`, `dictionary` and `catalogue`: JSON Schema and the docs derived from all of these.
- `logs` for every process, `http` for every server: limits, allowed hosts, response headers,
  access log.
"""
