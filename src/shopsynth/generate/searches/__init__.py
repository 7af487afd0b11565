"""What titles and searches without labels tell of how a shop's customers write searches."""
