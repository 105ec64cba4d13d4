"""The operators' desk: every page but the wall.

Reading order: `asked` (what an address asks for), `ask` (the stores, each question asked once per tick whatever the number of
viewers), `parts` (what pages are made of), `table` (tables with an address), `shell` (header, navigation, search, heartbeat),
`callbacks` (navigation within the page, renewal, heartbeat). Then a package per page, each with a `content`.
"""
