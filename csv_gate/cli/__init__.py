"""The command line: arguments, exit codes, streams. Nothing is judged or rendered here.

One module per verb, imported when it is called: `add_arguments(parser)` and `run(args, console) -> ExitCode`. `csv_gate.cli.main`
holds the table of verbs.
"""
