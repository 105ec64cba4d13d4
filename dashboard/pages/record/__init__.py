"""`/record/<kind>/<id>`: the whole life of a record.

Reading order: `address` (which record an address is about), `page` (what stands where), `deadline` (how much time its clock has
left; pure), `life` (the deadline as a bar, the steps as a timeline), `facts` (what it is about, what was said of it), `beside` (the
records nearest to it).
"""
