"""The wall of the room: `view` (what an address asks for), `figures`, `alarms`, `map`, `sources` (what is drawn of a snapshot),
`frame` (all of it, by component), `layout` (the page), `callbacks` (the push)."""
