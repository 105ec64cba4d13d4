"""Import CSV, XLSX and JSON files into Kafka, by a mapping file.

Reading order: `mapping` (what a mapping file may say), `mapping_file` (read and checked), `values`
(texts as numbers, times and periods), `convert` (a row to the events it stands for), `rows` (what
every table has), `delimited`, `sheets` and `documents` (a CSV file, a workbook, JSON to rows),
`refused` (the file of refused rows), `sent` (what was read and sent), `run` (rows to Kafka, every
one accounted for), `outcome` (their outcome behind Kafka), `summary`, `job` (the files of one
command), `cli` (the command).
"""
