"""Show the state of the province from ClickHouse: the screens of the control room and the desk.

Rooms, each of which imports only those below it:

- `server`: the application, access, probes, exports, push to the walls.
- `pages`: one package per page, independent of each other; the wall is one of them.
- `components`: parts that several pages are built of.
- `request`: one request: its address, its context, the threads that answer it.
- `i18n`: the texts of all screens, and the formats of numbers and moments.
- `history`: views of any past moment.
- `query`: the connection, the clock, the cache, and all SQL, as named queries in stores.
"""
