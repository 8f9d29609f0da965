"""The district's desk: frameworks, mappings and rules, tried before they hold."""
