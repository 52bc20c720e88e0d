"""``python -m unscatter``."""

from unscatter.cli import main

if __name__ == "__main__":
    main()
