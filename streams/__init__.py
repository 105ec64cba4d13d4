"""Kafka to windows to ClickHouse, exactly.

Reading order: `transport` (Faust hands over whole chunks of a partition), `fetching` (what a chunk knows of the offsets before it),
`rows` (events as the rows that ClickHouse keeps), `fold` (rows into windows, a pure function), `store` (what is read and written),
`engine` (the order of work for a batch of chunks), `app` (the Faust app: agent, acknowledgement, web pages), `metrics`, `topics`,
`migrate`, `units`, `period`, `compare` (stored against raw), `lives`, `compare_lives`, `verify`, `rebuild`, `dead_letters`, `watch`
(what calls for people; a process of its own), and the commands in `__main__` and `cli`.
"""
