"""What the clinic's desk reaches of a box: its status, its measurements, and the spool for orders.

An application of its own beside the page: nobody signs in here, and no browser comes. nginx lets in who has a
certificate of the clinic's authority for this (``device/web/nginx.py``), and says so in a header that it takes away
from everybody else; without it there is nothing here.
"""
