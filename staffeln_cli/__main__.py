"""`python -m staffeln_cli`, and the `staffeln` command."""

from staffeln_cli.cli import main

if __name__ == "__main__":
    main()
