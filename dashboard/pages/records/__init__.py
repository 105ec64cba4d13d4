"""`/records/<kind>`: all records of a kind as a table to search, narrow, sort and take along.

Reading order: `fields` (what a list of a kind may show and be narrowed to), `told` (a value in words, and as a cell of a file),
`address` (what an address asks for, and the addresses of its changes), `filters` (the bar of choices, what is chosen), `grid` (the
table, its pages, its columns), `page` (what stands where), `files` (the same list as a file), `routes`.
"""
