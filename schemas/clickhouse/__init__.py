"""Declare what is stored in ClickHouse: tables, views, histories, working time and retention.

Reading order: `columns` (how a table is declared), `rows` (objects as rows), `tables` and `views`
(of the kinds), `watch_tables` (sources and alarms), `unit_tables` (units), `ordering` (the order of
an entity's steps), `working_time` (the working clock in SQL), `lives` (histories of states) with
`derivation` (their SQL), `retention`, `replays`, `sql` (queries used in more than one place).
Nothing here runs a query.
"""
