"""Imports of dated days: a module a kind of source."""
