"""`/unit/<code>`: the province, a commune or an agency, with all that is known of it and the records behind it.

Reading order: `page` (what stands where), `cards` (figures with target and trend), `queues` (records: what is overdue, due soon,
open, waiting, and those behind any figure), `below` (its communes or agencies, ranked), `calls` (alarms), `feeds` (sources with
their contacts), `points` (scores).
"""
