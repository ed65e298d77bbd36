"""Dated days from what others publish, as the reviewable CSV files of a site: one kind of source a module."""
