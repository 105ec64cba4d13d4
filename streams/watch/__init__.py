"""The watch: raises and clears alarms by rules that are data, and stores their history.

Read `schemas.reference.alarms` (the rules), `engine` (from observations and open alarms to changed
alarms; pure), `clusters` (reports that lie close together; pure), `context` (a moment of a
province), `questions` (the queries), `readings` (figures as observations), `alarm_store` (the table
of alarms), `jobs` (which rules are evaluated how often), `run` (the loop). `snapshots` records what
the live tables show.

Several watches may run at once: times of evaluation are aligned, rows are keyed by alarm and start,
and the later evaluation wins.
"""
