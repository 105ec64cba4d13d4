"""The screens in real Chromium, fed by the real path.

Gateway, Kafka, worker, ClickHouse, dashboard.
"""
