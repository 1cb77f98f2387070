"""The basis of all views: component base class, theme, shared scripts and styles."""
