"""The picture of a year: nights down, the clock across, the level as shade. Data in, the text of an SVG out."""
