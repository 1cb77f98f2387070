"""Alerts of a running process: rules and alerts on the disk, the thread that watches kitchens, and what is sent of it.

What a rule means, and when it fires, is `twin/analysis/alerts`.
"""
