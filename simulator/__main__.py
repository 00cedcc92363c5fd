"""Starts the simulator by itself: python -m simulator."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
import sys

from aiohttp import web

from .account import Account
from .contract import ENDPOINTS
from .faults import PRESETS
from .gateway import KINDS
from .scenarios import SCENARIOS, SECOND_ADMIN_KEY
from .server import DEMO_ADMIN_KEY, DEMO_SESSION_KEY, Simulator


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="simulator",
        description=__doc__,
        epilog="scenarios:\n"
        + "\n".join(f"  {name:<22} {one.description}" for name, one in SCENARIOS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at")
    parser.add_argument("--port", type=int, default=8765, help="the port to listen at")
    parser.add_argument("--key", default=DEMO_SESSION_KEY, help="the session key that opens it")
    parser.add_argument(
        "--admin-key",
        default=DEMO_ADMIN_KEY,
        help="the admin key that opens its costs and usage",
    )
    parser.add_argument(
        "--kind",
        default="openai",
        choices=("openai", *KINDS),
        help="what it stands in for",
    )
    parser.add_argument(
        "--page-host",
        metavar="URL",
        help="redirect to this host where a gateway has its web page",
    )
    parser.add_argument(
        "--scenario", choices=SCENARIOS, metavar="NAME", help="the state that the account is in"
    )
    parser.add_argument(
        "--models", type=int, metavar="N", help="use so many models, instead of the usual few"
    )
    parser.add_argument(
        "--keys", type=int, default=1, metavar="N", help="with --models: by so many API keys"
    )
    parser.add_argument(
        "--shared", action="store_true", help="with --keys: every key uses every model"
    )
    parser.add_argument("--still", action="store_true", help="let its clock stand still")
    parser.add_argument(
        "--start",
        type=datetime.fromisoformat,
        metavar="TIME",
        help="let its clock start at this time (ISO 8601, UTC), instead of now",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="ENDPOINT=FAULT",
        help=f"fail from the start; endpoints: {', '.join(ENDPOINTS)}, usage/*, *;"
        f" faults: {', '.join(PRESETS)}",
    )
    return parser


def _simulator(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Simulator:
    """Return the simulator that the options describe."""
    if options.models is not None and (options.models < 1 or options.keys < 1):
        parser.error("at least one model and one key")
    begun = datetime.now(UTC)
    started = options.start.replace(tzinfo=UTC) if options.start else begun
    account = None
    if options.models:
        account = Account.generated(options.models, options.keys, shared=options.shared)
        # Takes seconds where there are thousands of line items a day: before anybody waits
        account.total_cents(started)
    simulator = Simulator(
        key=options.key,
        admin_key=options.admin_key,
        kind=options.kind,
        account=account,
        now=lambda: started if options.still else started + (datetime.now(UTC) - begun),
        page_host=options.page_host,
    )
    if options.scenario:
        simulator.play(options.scenario)
    for option in options.fault:
        endpoint, _, fault = option.partition("=")
        try:
            simulator.fault(endpoint, fault)
        except KeyError, ValueError:
            parser.error(f"no such endpoint or fault: {option}")
    return simulator


def main() -> int:
    """Serve until a signal says stop."""
    parser = _parser()
    options = parser.parse_args()
    simulator = _simulator(parser, options)
    url = f"http://{options.host}:{options.port}"
    print(f"The simulated account listens at {url}")
    if options.key == DEMO_SESSION_KEY:
        print(f"Session key: {DEMO_SESSION_KEY}")
    if options.admin_key == DEMO_ADMIN_KEY and options.kind == "openai":
        print(f"Admin key: {DEMO_ADMIN_KEY}")
    if SECOND_ADMIN_KEY in simulator.admin_keys:
        print(f"Admin key of the second organization: {SECOND_ADMIN_KEY}")
    print(f"Scenarios and faults: {url}/simulator/", flush=True)
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
