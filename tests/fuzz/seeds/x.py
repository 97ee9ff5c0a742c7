6#!/usr/bin/python3
# {{ all.w }}
import os
a = {{ all.s }}
b = ['{{ all.s }}', "x{{ all.w }}", '''{{ all.s }}''', r'{{ all.w }}', b'x']
c = {"k": {{ all.ms }}, {{ all.w }}: {{ all.li }}}
def f(x={{ all.f }}):
    return f"{x!r:>2}" if {{ all.b }} else None
