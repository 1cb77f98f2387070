"""The operations dashboard: choose a kitchen, replay any stretch of its history, see what happened."""

from twin.pages.operations.operations import operations_page

operations_page().servable()
