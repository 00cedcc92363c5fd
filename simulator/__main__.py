"""Starts the simulator by itself: python -m simulator."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
import sys

from aiohttp import web

from .account import Account
from .faults import PRESETS
from .server import DEMO_ADMIN_KEY, DEMO_SESSION_KEY, ENDPOINTS, Simulator


def main() -> int:
    """Serve until a signal says stop."""
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at")
    parser.add_argument("--port", type=int, default=8765, help="the port to listen at")
    parser.add_argument("--key", default=DEMO_SESSION_KEY, help="the session key that opens it")
    parser.add_argument(
        "--admin-key", default=DEMO_ADMIN_KEY, help="the admin key that opens its costs"
    )
    parser.add_argument(
        "--kind",
        default="openai",
        choices=("openai", "one-api", "new-api"),
        help="what it stands in for",
    )
    parser.add_argument(
        "--models", type=int, metavar="N", help="use so many models, instead of the usual few"
    )
    parser.add_argument("--still", action="store_true", help="let its clock stand still")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="ENDPOINT=FAULT",
        help=f"fail from the start; endpoints: {', '.join(ENDPOINTS)}, *;"
        f" faults: {', '.join(PRESETS)}",
    )
    options = parser.parse_args()
    started = datetime.now(UTC)
    simulator = Simulator(
        key=options.key,
        admin_key=options.admin_key,
        kind=options.kind,
        account=Account.generated(options.models) if options.models else None,
        now=(lambda: started) if options.still else None,
    )
    for wish in options.fault:
        endpoint, _, fault = wish.partition("=")
        try:
            simulator.fault(endpoint, fault)
        except KeyError, ValueError:
            parser.error(f"no such endpoint or fault: {wish}")
    url = f"http://{options.host}:{options.port}"
    print(f"The simulated account listens at {url}")
    if options.key == DEMO_SESSION_KEY:
        print(f"Session key: {DEMO_SESSION_KEY}")
    if options.admin_key == DEMO_ADMIN_KEY and options.kind == "openai":
        print(f"Admin key: {DEMO_ADMIN_KEY}")
    print(f"How to make it fail: {url}/simulator/", flush=True)
    try:
        web.run_app(
            simulator.app,
            host=options.host,
            port=options.port,
            print=lambda *_: None,
            access_log=None,
            handle_signals=True,
            shutdown_timeout=1,
        )
    except OSError as err:
        print(f"Cannot listen at {url}: {err.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
