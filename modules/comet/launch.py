"""Runs twistd with Comet and its plugins: `launch.py CONFIG --nodaemon … comet …`.

Plugins are files of the store, named in CONFIG. Twisted would look for plugins in the folders of the
package `comet.plugins`, and for what it found there before in a pickle in each, which it cannot write here.
So it is told what there is, and no folder is looked into that anybody else could write.
"""

from __future__ import annotations

import contextlib
import dbm
import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

# By name, for they have no types, and a checker of types need not have them.
comet_plugins: Any = importlib.import_module("comet.plugins")
twisted_plugin: Any = importlib.import_module("twisted.plugin")
reactor: Any = importlib.import_module("twisted.internet.reactor")
IHandler: Any = importlib.import_module("comet.icomet").IHandler
implementer: Any = importlib.import_module("zope.interface").implementer

# Seconds that events which are under way get when the broker is told to end.
FINISH = 3.0


def load(name: str, path: str) -> ModuleType:
    """Imports a file as a module of this name."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"`{path}` is no file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def node_handler(config: dict[str, Any]) -> ModuleType:
    """A module with the handler `voevent-node`; with it all events come to the spools and the counters."""
    spools = load("voevent_spools", config["module"])
    events = spools.Events(config)
    StoreFirst(events, spools.PATIENCE).install()
    count_unreadable(events)
    reactor.callWhenRunning(events.start)
    reactor.addSystemEventTrigger("after", "shutdown", events.stop)

    @implementer(twisted_plugin.IPlugin, IHandler)
    class NodeHandler:
        """Counts each event that was accepted."""

        name = "voevent-node"

        def __call__(self, event: Any) -> None:
            events.accept(event.element.get("role", ""))

    module = ModuleType("comet.plugins.voevent_node", NodeHandler.__doc__)
    vars(module)["handler"] = NodeHandler()
    return module


class StoreFirst:
    """Has an event in the spools before Comet notes that it has seen it, and so before it acknowledges it.

    Comet asks all its validators at once. One of them, the database, notes the event whatever the others say: Comet
    would take for seen what was refused, and what was neither stored nor passed on when it died. Here the database is
    asked what it knows, and notes the event when it is stored. So who hears of an acknowledgement, or that an event was
    seen, knows that it is on the disk. One that is stored and not noted when the broker dies is sent and stored again.

    What is refused is counted: Comet tells no handler of it; as author it says why, as subscriber to nobody.
    """

    def __init__(self, events: Any, patience: float) -> None:
        self._events = events
        self._patience = patience
        self._defer: Any = importlib.import_module("twisted.internet.defer")
        self._check_seen: Any = importlib.import_module("comet.validator").CheckPreviouslySeen
        self._parse_ivoid: Any = importlib.import_module("comet.utility").parse_ivoid
        self._under_way: dict[bytes, Any] = {}

    def install(self) -> None:
        """Has Comet validate so, as author's broker and as subscriber."""

        def validate_event(connection: Any, event: Any) -> Any:
            connection.voevent_node_read = True
            return self.validate(connection.factory.validators, event).addErrback(self._refused)

        importlib.import_module("comet.protocol.base").EventHandler.validate_event = validate_event

    def validate(self, validators: list[Any], event: Any) -> Any:
        """Fires when an event is valid, new, stored and noted; fails as Comet has it."""
        notes = [one for one in validators if isinstance(one, self._check_seen)]
        others = [one for one in validators if not isinstance(one, self._check_seen)]
        known = [self._check_seen(Known(one.event_db)) for one in notes]

        def check() -> Any:
            checked = self._all_of([*others, *known], event)
            return checked.addCallback(lambda _: self._store(event)).addCallback(lambda _: self._all_of(notes, event))

        named = self._all_of([self._has_stream], event)
        return named.addCallback(lambda _: self._alone(event.raw_bytes, check))

    def _all_of(self, validators: list[Any], event: Any) -> Any:
        called = [self._defer.maybeDeferred(validator, event) for validator in validators]
        return self._defer.gatherResults(called, consumeErrors=True)

    def _has_stream(self, event: Any) -> None:
        """What has none Comet as subscriber would take for seen."""
        self._parse_ivoid(event.element.attrib["ivorn"])

    def _alone(self, raw: bytes, work: Any) -> Any:
        """Does it when it is done for the same bytes that came from elsewhere."""
        lock = self._under_way.setdefault(raw, self._defer.DeferredLock())

        def done(result: Any) -> Any:
            if not lock.locked and not lock.waiting:
                self._under_way.pop(raw, None)
            return result

        return lock.run(work).addBoth(done)

    def _store(self, event: Any) -> Any:
        stored = self._defer.Deferred()
        role, ivorn = event.element.get("role", ""), event.element.get("ivorn", "")

        def done() -> None:
            reactor.callFromThread(stored.callback, None)

        storing = self._events.store(event.raw_bytes, role, ivorn, done)
        late = reactor.callLater(self._patience, storing.hurry)

        def in_time(_: Any) -> None:
            if late.active():
                late.cancel()

        return stored.addCallback(in_time)

    def _refused(self, failure: Any) -> Any:
        seen = "Previously seen" in failure.value.subFailure.getErrorMessage()
        self._events.refuse("seen" if seen else "invalid")
        return failure


class Known:
    """What Comet's event database knows already: `check_event` as it has it, but that it notes nothing."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def check_event(self, event: Any) -> bool:
        """Whether it has not seen the event."""
        database = self._database
        stream, key = database._get_event_details(event)  # noqa: SLF001 - nobody else tells where it looks
        with database.databases[stream], contextlib.closing(dbm.open(f"{database.root}/{stream}", "c")) as one:
            return key not in one


def count_unreadable(events: Any) -> None:
    """Has counted what never becomes an event."""
    sender: Any = importlib.import_module("comet.protocol.base").ElementSender
    receiver: Any = importlib.import_module("comet.protocol.receiver").VOEventReceiver
    received, too_long = receiver.stringReceived, sender.lengthLimitExceeded

    def string_received(self: Any, data: bytes) -> Any:
        self.voevent_node_read = False
        try:
            return received(self, data)
        finally:
            if not self.voevent_node_read:
                events.refuse("unreadable")

    def length_limit_exceeded(self: Any, length: int) -> Any:
        events.refuse("too_large")
        return too_long(self, length)

    receiver.stringReceived = string_received
    sender.lengthLimitExceeded = length_limit_exceeded


def finish_events() -> None:
    """Ends only when what was begun with each event is done, in seconds.

    Comet notes in its database that it has seen an event before it acknowledges it and passes it on. One at which it
    ended in between it would refuse when it is sent again: no subscriber would ever get it.
    """
    handler: Any = importlib.import_module("comet.protocol.base").EventHandler
    deferred: Any = importlib.import_module("twisted.internet.defer").Deferred
    process, under_way = handler.process_event, set()

    def process_event(self: Any, *arguments: Any, **named: Any) -> Any:
        one = object()
        under_way.add(one)

        def done(result: Any) -> Any:
            under_way.discard(one)
            return result

        return process(self, *arguments, **named).addBoth(done)

    def finish() -> Any:
        ended, until = deferred(), reactor.seconds() + FINISH

        def look() -> None:
            if under_way and reactor.seconds() < until:
                reactor.callLater(0.02, look)
            else:
                # The last answers go out.
                reactor.callLater(0.05, ended.callback, None)

        look()
        return ended

    handler.process_event = process_event
    reactor.callWhenRunning(reactor.addSystemEventTrigger, "before", "shutdown", finish)


def keep_slow_subscribers() -> None:
    """Drops only subscribers that acknowledge nothing for a minute.

    Comet drops, once a minute, each that has ten events to acknowledge at that moment: in a burst all that are not as
    fast as the authors, and what comes until they are back is lost to them.
    """
    broadcaster: Any = importlib.import_module("comet.protocol.broadcaster").VOEventBroadcaster
    received, alive, at_most = (
        broadcaster.stringReceived,
        broadcaster.sendIAmAlive,
        broadcaster.MAX_OUTSTANDING_ACK,
    )

    def string_received(self: Any, data: bytes) -> Any:
        before = self.outstanding_ack
        result = received(self, data)
        self.voevent_node_acks = getattr(self, "voevent_node_acks", 0) + (self.outstanding_ack < before)
        return result

    def send_i_am_alive(self: Any) -> Any:
        self.MAX_OUTSTANDING_ACK = float("inf") if getattr(self, "voevent_node_acks", 0) else at_most
        self.voevent_node_acks = 0
        return alive(self)

    broadcaster.stringReceived = string_received
    broadcaster.sendIAmAlive = send_i_am_alive


def handlers(module: ModuleType) -> list[str]:
    """The names of the handlers that a module has."""
    plugins = [value for value in vars(module).values() if twisted_plugin.IPlugin.providedBy(value)]
    return [plugin.name for plugin in plugins if IHandler.providedBy(plugin)]


def plugin(name: str, path: str) -> ModuleType:
    """A plugin of the host; it must have a handler of this name."""
    try:
        module = load("comet.plugins." + name.replace("-", "_"), path)
    except Exception as error:
        raise SystemExit(f"plugin `{name}` cannot be imported: {type(error).__name__}: {error}") from error
    found = handlers(module)
    if name not in found:
        names = ", ".join(f"`{one}`" for one in found) or "none"
        raise SystemExit(f"`{path}` has no handler of the name `{name}`: it has {names}")
    return module


def tell_twisted(own: list[ModuleType]) -> None:
    """Replaces the search for plugins, whose cache cannot be written, by one without a cache."""
    modules_in: Any = importlib.import_module("twisted.python.modules").getModule
    entry: Any = twisted_plugin._generateCacheEntry  # noqa: SLF001 - its own search does so, and has a cache
    for module in own:
        sys.modules[module.__name__] = module
        setattr(comet_plugins, module.__name__.rpartition(".")[2], module)

    def cache(package: ModuleType) -> dict[str, Any]:
        modules = [found.load() for found in modules_in(package.__name__).iterModules()]
        if package is comet_plugins:
            modules += own
        return {module.__name__: entry(module) for module in modules}

    twisted_plugin.getCache = cache


def write_log_files(config: dict[str, Any]) -> None:
    """Writes a copy of the log to files. What cannot be written is in the journal."""
    log: Any = importlib.import_module("twisted.python.log")
    files: Any = importlib.import_module("twisted.python.logfile").LogFile(
        "comet.log",
        config["directory"],
        rotateLength=config["bytes"],
        defaultMode=0o640,
        maxRotatedFiles=config["keep"],
    )
    write = log.FileLogObserver(files).emit

    def emit(event: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            write(event)

    log.addObserver(emit)


def main(arguments: list[str]) -> None:
    """Runs twistd."""
    config: dict[str, Any] = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    own = [plugin(name, path) for name, path in sorted(config["plugins"].items())]
    tell_twisted([node_handler(config), *own])
    finish_events()
    keep_slow_subscribers()
    if "log_files" in config:
        write_log_files(config["log_files"])
    sys.argv = ["twistd", *arguments[1:]]
    importlib.import_module("twisted.scripts.twistd").run()


if __name__ == "__main__":
    main(sys.argv[1:])
