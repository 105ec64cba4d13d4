"""Query the past: the state of any moment, as it was known then and as corrected since.

Reading order: `past` (the connection that answers queries about a moment), `sql` (each table as it
was then) with `prepared` (what it needs first), `lives` (lives as they were known), `slices`,
`slice_tables`, `periods`, `moments` and `tables` (what is materialised to make pages fast),
`arrivals` and `proof` (queries whose subject is the past itself).
"""
