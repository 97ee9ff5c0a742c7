#!/usr/bin/env python3
"""Posts an event to a channel of Slack; again where that fails, for its end is not 0 then."""

import os
import sys
import xml.etree.ElementTree as Tree
from pathlib import Path

from slack_sdk import WebClient

event = Tree.parse(sys.stdin.buffer).getroot()
what = " ".join((event.findtext("What/Description") or event.findtext("Why/Concept") or "an event").split())
again = "" if os.environ["VOEVENT_CUT_OFF"] == "0" else " (perhaps told before)"
client = WebClient(token=Path(os.environ["VOEVENT_SECRET_TOKEN"]).read_text(encoding="ascii").strip())
client.chat_postMessage(channel=sys.argv[1], text=f"{os.environ['VOEVENT_IVORN']}: {what}{again}")
