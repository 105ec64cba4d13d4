"""Define events: codes, payloads, kinds, canonical form, envelope, topics and partitions.

Reading order: `codes` (code lists), `payloads` (the fields of each kind), `measures` (what a window
counts), `kinds` (all that belongs to a kind), `canonical` (one form for every event), `envelope`
(CloudEvents records read and written), `partitions` and `topics` (where records lie in Kafka).
"""
