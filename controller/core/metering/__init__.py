"""How warm it was and what it took: hours, months, degree-days, a baseline and savings against it. Arithmetic alone.

``hourly`` is what a State holds of the hour in progress, ``rows`` what is kept of closed ones, ``monthly`` adds these.
"""
