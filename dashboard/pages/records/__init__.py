"""`/records/<kind>`: all records of a kind as a table to search, filter, sort and export.

Reading order: `page` (the layout), `filters` (choices and active conditions), `grid` (the table,
its pages and columns), `files` (the list as a file). Fields, cells and addresses of lists are in
`dashboard.components.list_fields`, `list_cells` and `list_address`.
"""
