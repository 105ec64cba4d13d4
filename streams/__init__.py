"""Kafka to windows to ClickHouse, exactly.

- `worker`: takes events in. Read `transport` (Faust hands over whole chunks of a partition), `rows`, `fold` (rows into windows, a
  pure function), `store`, `engine` (the order of work for a batch of chunks), `app`.
- `admin`: what administrators run: migrate, verify, rebuild, retain, dead letters.
- `watch`: raises and clears alarms; a process of its own.
- `replay`: runs history again beside what is live.
- `lives`: keeps the states of entities up to date.
"""
