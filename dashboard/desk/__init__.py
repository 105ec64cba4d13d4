"""The operators' desk: every page but the wall.

Reading order: `asked` (what an address asks for), `ask` (the stores, each question asked once per tick whatever the number of
viewers), `parts` (what pages are made of), `table` (tables with an address), `shell` (header, navigation, search, heartbeat),
`pages` (the pages in their order, renewal). Then a package per page, each with a `content`: `sources`, `unit`, `record`, `search`,
`targets`, `index`. What several pages say is said once: `who` (whose page a code has), `record_rows` (records in a table), `judged`
(targets and scores), `measured` (figures with their units), `actions`; `exports` gives pages as files (`sheet`).
"""
