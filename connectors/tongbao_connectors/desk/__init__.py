"""The officers' desk: a province's pages in the browser.

worker          the process: gunicorn on the loopback address
web             Django's settings; `configuration` reads desk.toml; `here` is the desk that serves
access          every view's way to `authorisation.decide`
login, account, people   who comes in, his own settings, the administrator's list
language        the two languages; templatetags/desk.py the words, times and parts of the pages
"""
