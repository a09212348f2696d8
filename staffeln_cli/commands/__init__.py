"""One module per subcommand; each returns what happened and neither prints nor exits."""
