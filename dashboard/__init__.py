"""ClickHouse to eyes: what the rooms and the operators see.

Rooms, each of which imports only those below it:

- `server`: the application, access, probes, exports, and what is pushed to walls.
- `pages`: one package per page, independent of each other; the wall is one of them.
- `components`: what several pages are built of.
- `request`: one request: its address, its context, the threads that answer it.
- `i18n`: the words of all screens, and how numbers and moments are written.
- `history`: what looks back at any moment.
- `query`: the connection, the clock, the cache, and the only SQL, as named questions in stores.
"""
