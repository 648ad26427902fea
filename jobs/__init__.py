"""Doing it: read, call a model, write.

The files here are commands; everything else is in a room.
"""
