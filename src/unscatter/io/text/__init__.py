"""Text as files have it: bytes decoded, numbers printed for people or machines, tables read at once."""
