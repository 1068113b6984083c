"""The command line `phx`."""
