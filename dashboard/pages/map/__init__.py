"""`/map`: the operators' map, with the figures, the chart and the records of what is chosen on it.

The page is drawn once; from then on its own script (`assets/opsmap.js`) keeps the address and asks for what changed, so that the
map is never rebuilt under who looks at it. Reading order: `view` (what an address asks for), `spots` (where units lie), `shades`
(classes and their breaks), `drawn` (what the map shows, as data), `legends` (what marks mean), `layer` and `layers` (each layer's
switch, count, legend and marks as one), `bar` (window,
filters, choice), `panel` (figures, chart, table of what is chosen), `find` (finding on the map), `page` (all of it), `routes` (the
same as JSON: parts, reports of a view, hits).
"""
