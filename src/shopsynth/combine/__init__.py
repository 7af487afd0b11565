"""The combine room."""
