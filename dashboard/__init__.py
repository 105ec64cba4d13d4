"""ClickHouse to eyes: what the rooms and the operators see.

Reading order: `clock` (the moment a question is asked for), `connection` and `store` (the only SQL, as named questions; in
`store_units` those per commune over a period in which units changed), `sources` and `alarms` (what is late and what calls for
people, as pure rules), `snapshot` (everything a wall shows, of one moment), `push` (one poller, many viewers), `wall` (layout,
figures, map), `desk` (the operators' pages), `app` (Dash on FastAPI), `health` (probes and metrics). `words` holds every word of
the screens in Vietnamese and English, `speech` writes numbers and times, `sight` sizes letters, `visitor` tells who asks,
`once` remembers answers, `beside` has questions asked side by side. `workers` makes pages and files beside the event loop
(`dispatch` for what Dash asks, `streamed` for files), within a `time_limit`, and `turns` has few of them compute at a time.
Of records, `store_lives` tells the lives, `store_records`
finds them (by figure, by number, beside each other), and `store_lists` lists all of a kind.
"""
