"""The web server: application, access, probes, exports, and what is pushed to walls."""
