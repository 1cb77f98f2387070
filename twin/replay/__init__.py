"""The playhead: its clock (pure), its verbs (Param) and what is selected."""
