"""Owns the processes of one data folder: started, kept alive, stopped. No Dagster."""
