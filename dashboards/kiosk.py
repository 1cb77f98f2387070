"""A wall screen that tours the kitchens by itself: see docs/kiosk.md."""

from twin.views.kiosk import serve_kiosk

serve_kiosk()
