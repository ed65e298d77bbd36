"""From what operators wrote to the frozen tree of config.site, references resolved."""
