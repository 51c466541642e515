"""``sotto check``: what a person runs who installs a box. It measures, judges and advises, and keeps nothing."""
