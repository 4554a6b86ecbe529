"""The receiving side of the desk: the inbox, one alert, and what an officer does with it.

1. Pure: `rows` (a card), `alert` and `letter` (an opened body), `acts` (what may be done now), `forms`.
2. From the tables: `lists` (what lies under which tab), `known` (what stands beside it), `reading` (opening a
   body for a page).
3. Pages: `list_views`, `message_views`, `act_views`; `pages` is what they share.
"""
