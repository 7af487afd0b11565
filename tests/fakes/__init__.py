"""Small stand-ins that tests share: task functions for executors, a recording listener."""
