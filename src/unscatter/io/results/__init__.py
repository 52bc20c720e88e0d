"""What unscatter writes: results, tables, pictures."""
