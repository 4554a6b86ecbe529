"""The few pictograms of the pages, as paths on a 24 × 24 grid; each stands beside its word."""

from typing import Final

ICONS: Final = {
    "mark": '<path d="M3 6h5c4 0 4 6 8 6h5M3 12h18M3 18h5c4 0 4-6 8-6"/>',
    "up1": '<path d="M5 15l7-7 7 7"/>',
    "up2": '<path d="M5 12l7-7 7 7M5 19l7-7 7 7"/>',
    "up3": '<path d="M5 9l7-6 7 6M5 15l7-6 7 6M5 21l7-6 7 6"/>',
    "eye": '<path d="M2 12s4-6 10-6 10 6 10 6-4 6-10 6S2 12 2 12z"/><circle cx="12" cy="12" r="3"/>',
    "eye-off": '<path d="M2 12s4-6 10-6 10 6 10 6-4 6-10 6S2 12 2 12z"/><path d="M5 20L19 4"/>',
    "key": '<circle cx="7" cy="16" r="4"/><path d="M10 13l9-9M15 8l3 3"/>',
    "warn": '<path d="M12 3l10 18H2z"/><path d="M12 10v5M12 18v.5"/>',
    "tick": '<path d="M4 12l5 6L20 5"/>',
    "trust": '<circle cx="12" cy="12" r="9"/><path d="M7.5 12l3.2 3.5L16.5 9"/>',
    "cross": '<path d="M5 5l14 14M19 5L5 19"/>',
    "none": '<path d="M5 12h14"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v6M12 7v.5"/>',
    "held": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>',
    "undo": '<path d="M9 5L4 10l5 5M4 10h10a5 5 0 0 1 0 10h-3"/>',
    "search": '<circle cx="10" cy="10" r="6"/><path d="M15 15l6 6"/>',
    "inbox": '<path d="M3 13l3-8h12l3 8v6H3zM3 13h5l2 3h4l2-3h5"/>',
    "send": '<path d="M21 3L3 11l7 3 3 7z"/><path d="M21 3L10 14"/>',
    "calendar": '<path d="M4 6h16v14H4zM4 10h16M8 3v5M16 3v5"/>',
    "swap": '<path d="M4 8h15l-4-4M20 16H5l4 4"/>',
    "bell": '<path d="M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4"/>',
    "people": '<circle cx="9" cy="8" r="3.5"/>'
    '<path d="M2.5 20a6.5 6.5 0 0 1 13 0M16 5a3.5 3.5 0 0 1 0 6M18 14a6 6 0 0 1 3.5 6"/>',
    "me": '<circle cx="12" cy="8" r="4"/><path d="M4 21a8 8 0 0 1 16 0"/>',
    "phone": '<path d="M6 3h4l2 5-3 2a12 12 0 0 0 5 5l2-3 5 2v4a3 3 0 0 1-3 3'
    'A17 17 0 0 1 3 6a3 3 0 0 1 3-3z"/>',
    "print": '<path d="M7 8V3h10v5M5 17H3V8h18v9h-2M7 13h10v8H7z"/>',
    "down": '<path d="M12 4v12M6 11l6 6 6-6M4 21h16"/>',
    "plus": '<path d="M12 4v16M4 12h16"/>',
    "lock": '<path d="M5 11h14v10H5zM8 11V8a4 4 0 0 1 8 0v3"/>',
}
