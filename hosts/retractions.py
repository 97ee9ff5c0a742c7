#!/usr/bin/python3
"""Says in the journal which event was retracted, and why."""

import os
import sys
import xml.etree.ElementTree as Tree

event = Tree.parse(sys.stdin.buffer).getroot()
why = " ".join((event.findtext("Citations/Description") or "no reason given").split())
for cited in event.iterfind("Citations/EventIVORN[@cite='retraction']"):
    print(f"<5>{cited.text} was retracted by {os.environ['VOEVENT_IVORN']}: {why}")
