"""Replay a past period at any speed, with workers and tables of its own.

Read `plan` (what to replay, and how), `history` (the records to send, from Kafka or ClickHouse),
`sandbox` (what belongs to a run), `admission` (when a run may start), `run` (the run itself),
`run_store` (the table of runs), `comparison` (with live).
"""
