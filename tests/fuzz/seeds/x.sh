0#!/bin/sh
set -eu
# {{ all.w }}
a={{ all.s }}
b="x {{ all.s }} y" c='{{ all.w }}'
for x in {{ all.l }}; do echo "$x"; done
n=$(( {{ all.i }} + 1 ))
cat <<EOF
$a {{ all.w }}
EOF
case $a in {{ all.w }}) exec {{ script("other") }} --p={{ all.p }} ;; *) true ;; esac
{% if all.n is not none and not all.b %}
if [ -e {{ all.p }}/x ]; then f() { return 1; }; fi | tee {{ file("other") }} >&2 &
{% else %}
{% include "part.j2" %}
{% endif %}
#=== modules/all/part.j2
echo {{ all.hp ~ ":" ~ all.c }} {{ all.d | seconds }}
