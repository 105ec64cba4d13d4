"""The screens in real Chromium, fed by the real path: gateway, Kafka, worker, ClickHouse, dashboard."""
