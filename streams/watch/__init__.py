"""The watch: what calls for people is raised and cleared here, by rules that are data, and kept with its history.

Reading order: `schemas.reference.alarms` (the rules), `engine` (what was observed, and the alarms that are open, into what changes;
pure), `clusters` (points that lie close together; pure), `questions` (what ClickHouse is asked), `readings` (figures as inputs),
`book` (the table of alarms), `jobs` (which rules are looked at how often), `run` (the loop that never ends by itself).

Several watches do no harm: times of evaluation are aligned, rows are keyed by alarm and beginning, and the later evaluation holds.
"""
