"""The simulator as people start it."""

from pathlib import Path
import re
import sys
import time

import aiohttp
import pytest

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


async def test_scenario(tmp_path: Path) -> None:
    """It starts in a scenario, lists its keys, and plays another one when it is told to."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    command = [sys.executable, "-m", "simulator", "--port", str(port), "--still"]
    simulator = Process(
        "The simulator",
        [*command, "--scenario", "several-organizations", "--models", "4", "--keys", "2"],
        tmp_path / "simulator.log",
    )
    await simulator.start()
    try:
        await simulator.answers(f"{url}/simulator/")
        keys = dict(re.findall(r"^(.*key.*): (s\S+)$", simulator.output(), re.MULTILINE))
        assert set(keys) == {
            "Session key",
            "Admin key",
            "Admin key of the second organization",
        }
        organizations = []
        async with aiohttp.ClientSession(f"{url}/v1/organization/") as session:
            for name in ("Admin key", "Admin key of the second organization"):
                headers = {"Authorization": f"Bearer {keys[name]}"}
                start = {"start_time": str(int(time.time()) - 86_400)}
                async with session.get("costs", params=start, headers=headers) as response:
                    page = await response.json()
                organizations.append(page["data"][0]["results"][0]["organization_id"])
            assert len(set(organizations)) == 2
            wish = {"scenario": "spend-limit-enforced"}
            async with session.post(f"{url}/simulator/scenario", json=wish) as response:
                assert response.status == 200
            headers = {"Authorization": f"Bearer {keys['Admin key']}"}
            async with session.get("spend_limit", headers=headers) as response:
                assert (await response.json())["enforcement"] == {"status": "enforcing"}
    finally:
        code = await simulator.stop(10)
    assert code == 0
    assert "Traceback" not in simulator.output()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scenario", "rich"), "low-credit"),
        (("--fault", "usage=tired"), "no such endpoint or fault: usage=tired"),
        (("--models", "0"), "at least one model and one key"),
    ],
)
async def test_wrong_options(tmp_path: Path, options: tuple[str, str], said: str) -> None:
    """An option that it does not know ends it in a sentence that helps."""
    command = [sys.executable, "-m", "simulator", "--port", str(free_port()), *options]
    simulator = Process("The simulator", command, tmp_path / "simulator.log")
    await simulator.start()
    assert await simulator.wait() == 2

    async def has_said() -> bool:
        return said in simulator.output()

    await until(has_said, "It says what is wrong", 5)
    assert "Traceback" not in simulator.output()
