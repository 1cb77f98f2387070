"""A wall screen that tours the kitchens by itself: see docs/kiosk.md."""

from twin.pages.kiosk.kiosk import serve_kiosk

serve_kiosk()
