"""The HTTP gateway: where agencies push their events.

Reading order: `app` (routes and status codes), `bodies` (a body's bytes to the bytes of its events), `intake` (the events of one
request: read, sent, acknowledged, answered), `turns` (one thread, shared fairly by requests), `notices` (what the sender of an
accepted event should know), `recent` (resends), `refusals` (what was refused, counted), `link` (the tie to Kafka and its
heartbeat), `words` (reasons in Vietnamese and English), `metrics`, `description` (OpenAPI).
"""
