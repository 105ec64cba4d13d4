"""Count events from Kafka in windows and store them in ClickHouse, each exactly once.

- `worker`: consumes events. Read `transport` (Faust delivers whole chunks of a partition), `rows`,
  `fold` (rows into windows, a pure function), `store`, `engine` (the order of work for a batch of
  chunks), `app`.
- `admin`: commands for administrators: migrate, verify, rebuild, retain, dead letters.
- `watch`: raises and clears alarms, in a process of its own.
- `replay`: sends a past period through the system again, isolated from live data.
- `lives`: keeps the histories of entities (an entity's states over time) up to date.
- `cli`: the commands, whose entry point is `__main__`.
"""
