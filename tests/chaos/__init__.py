"""Everything is killed, stopped and taken away while agencies send.

An independent ledger says what must be there in the end.

Reading order: `ledger` (what was accepted, and what it comes to, counted by its own rules),
`agency` (who sends), `system` (the processes, started and restarted), `broker` (what Kafka says),
`doomed` (a worker that ends at a named step), `settle` (the comparison), the scenarios in `kills`,
`moves`, `outages`, `transactions` and `bombs`, `scenarios` (all of them, how one is run), `report`
(the results as a page), `__main__`.
"""
