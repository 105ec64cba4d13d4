"""`/map`: the operators' map, with figures, chart and records of what is selected on it.

The page is made once; from then on client/map/page.js keeps the address and requests what changed,
so that the map is never rebuilt under the viewer.

Reading order: `view` (the address), `spots` (positions of units), `shades` (classes and breaks),
`layer_data` (queries), `marks` (marks as data), `legends` (their meaning), `layer` and `layers`
(switch, count, legend and marks of each layer as one), `bar` (period, filters, selection), `panel`
(figures, chart, records), `find` (search), `page` (all of it), `routes` (the same as JSON: parts,
reports of a view, hits).
"""
