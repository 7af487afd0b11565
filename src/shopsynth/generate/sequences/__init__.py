"""What networks over histories share: items as codes, events as tokens; private to the room."""
