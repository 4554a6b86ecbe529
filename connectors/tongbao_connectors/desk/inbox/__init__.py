"""The receiving side of the desk: the inbox, one alert, and what an officer does with it.

lists      which messages lie under which tab, in which order
rows       one of them as a card: pure
alert      an opened body as a page shows it: pure
acts       what may be done with it now, and the small forms for it
views      the pages
"""
