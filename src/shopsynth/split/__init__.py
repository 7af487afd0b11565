"""The split room."""
