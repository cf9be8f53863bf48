"""What setup.py needs to build the engine; not installed."""
