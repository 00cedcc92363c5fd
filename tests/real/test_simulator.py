"""The simulator as people start it."""

from pathlib import Path
import sys

import aiohttp

from development.process import LOOPBACK, Process, free_port, until


async def test_simulator(tmp_path: Path) -> None:
    """It answers, fails when it is told to, says nothing of keys, and ends cleanly."""
    key, port = "sess-AKeyThatIsNobodysElse", free_port()
    url = f"http://{LOOPBACK}:{port}"
    command = [sys.executable, "-m", "simulator", "--port", str(port), "--key", key]
    simulator = Process(
        "The simulator", [*command, "--fault", "usage=html_wall"], tmp_path / "simulator.log"
    )
    await simulator.start()
    try:
        await simulator.answers(f"{url}/simulator/")
        headers = {"Authorization": f"Bearer {key}"}
        path = "/v1/dashboard/billing/"
        async with aiohttp.ClientSession(url, headers=headers) as session:
            async with session.get(f"{path}credit_grants") as response:
                assert (await response.json())["object"] == "credit_summary"
            dates = {"start_date": "2026-11-01", "end_date": "2026-11-02"}
            async with session.get(f"{path}usage", params=dates) as response:
                assert response.status == 403
                assert response.content_type == "text/html"
            async with session.delete("/simulator/faults") as response:
                assert response.status == 200
            async with session.get(f"{path}usage", params=dates) as response:
                assert (await response.json())["object"] == "list"
            wish = {"endpoint": "subscription", "fault": "hang"}
            async with session.post("/simulator/faults", json=wish) as response:
                assert response.status == 200
            async with session.post("/simulator/faults", json={"fault": "x"}) as response:
                assert response.status == 400
            async with session.get(f"{path}nothing") as response:
                assert response.status == 404
        async with (
            aiohttp.ClientSession(url) as stranger,
            stranger.get(f"{path}credit_grants") as response,
        ):
            assert response.status == 401
    finally:
        code = await simulator.stop(10)
    assert code == 0
    assert key not in simulator.output()
    assert "Traceback" not in simulator.output()


async def test_port_in_use(tmp_path: Path) -> None:
    """A port that is taken is told in one sentence."""
    port = free_port()
    command = [sys.executable, "-m", "simulator", "--port", str(port)]
    first = Process("The simulator", command, tmp_path / "first.log")
    second = Process("The simulator", command, tmp_path / "second.log")
    await first.start()
    try:
        await first.answers(f"http://{LOOPBACK}:{port}/simulator/")
        await second.start()
        assert await second.wait() == 1
    finally:
        await first.stop(10)

    async def has_said() -> bool:
        return "Cannot listen" in second.output()

    await until(has_said, "It says why it ended", 5)
    assert "Traceback" not in second.output()
