"""The jobs: one a file, each with its options (a frozen dataclass) and run(source, options); nothing is printed here.

The command line, the keywords of the Python functions, a TOML file and the provenance of a result all come from the
fields of the dataclass. To add an option, add one field with its default and a line that explains it.
"""
