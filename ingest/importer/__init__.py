"""File import: CSV, XLSX and NDJSON into Kafka, by a mapping file.

Reading order: `mapping` (what a mapping file may say), `values` (texts as numbers, times and periods), `convert` (a row to the
events it stands for), `rows` (a file to its rows), `sheets` (a workbook to its rows), `run` (a file to Kafka, with every row
accounted for), `cli` (the command).
"""
