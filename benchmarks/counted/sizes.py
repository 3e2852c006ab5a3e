"""How much of a work is done, part by part."""

SHORT, LONG, TRACED = 200, 400, 160
# The first also fills the caches of the process; what is compared is the difference of the next two.
PARTS = (SHORT, SHORT, LONG, TRACED)
