"""`/unit/<code>`: the province, a commune or an agency: its figures and the records behind them.

Reading order: `page` (the layout), `queues` (records that are overdue, due soon, open or waiting,
and those behind any figure), `children` (its communes or agencies, ranked), `alarms`, `feeds`
(sources with their contacts), `scores`.
"""
