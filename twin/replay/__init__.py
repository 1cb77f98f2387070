"""The playhead: its clock (pure), its verbs (Param), what is selected, and what all who follow a live kitchen share."""
