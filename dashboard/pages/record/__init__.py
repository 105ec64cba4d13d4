"""`/record/<kind>/<id>`: the whole life of a record.

Reading order: `page` (the layout), `deadline` (the time left on its clock; pure), `life` (the
deadline as a bar, the steps as a timeline).
"""
