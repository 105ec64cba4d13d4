"""Enforce what every HTTP server of the centre needs: bounds, host names, headers, access log.

Reading order: `limits` (the bounds, as numbers), `connection` (applies them to headers, bodies and
connections, before any application runs), `memory` (bytes of request bodies over all connections),
`hosts` (names that the server answers to), `middleware` (allowed hosts, response headers, access
log around an ASGI application), `server` (all of it, run by uvicorn).
"""
