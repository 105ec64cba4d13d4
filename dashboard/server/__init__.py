"""The web server: application, access, probes, exports, push to the walls."""
