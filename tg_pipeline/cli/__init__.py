"""The command line: reads arguments, calls one flow, shows what it returned."""
