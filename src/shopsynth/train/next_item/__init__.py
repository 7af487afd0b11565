"""The train/next_item room."""
