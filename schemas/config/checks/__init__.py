"""Checks of the configuration that a shape cannot express, a module per file of conf/."""
