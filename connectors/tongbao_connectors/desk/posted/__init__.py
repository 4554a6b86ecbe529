"""The pages of a posted officer (外派联络员): what is between his home and the provinces he is posted to.

1. `lists` says what he follows and what of it he hasn't seen; `views` are the list, one thread, and what he
   does: 催办 to the host, 备注 for his home.
2. Whether he is posted is asked of the directory at each request (`access.who_is`).
3. Of an alert to several provinces he sees what concerns his hosts: their standing, their answers, the lines
   about them and those about nobody else.
"""
