"""The health check of a container asks the port that the running process was told to use."""

import asyncio

from proxy.cli import main


async def check(pid: int) -> int:
    return await asyncio.to_thread(main, ["healthcheck", "--pid", str(pid)])


async def test_it_finds_the_port_that_the_file_names(process):
    running = await process()

    assert running.admin_port != 8081
    assert 0 == await check(running.process.pid)


async def test_a_process_that_answers_nobody_is_ill(process, capsys):
    running = await process()
    pid = running.process.pid
    await running.end()

    assert 1 == await check(pid)
    assert f"process {pid}" in capsys.readouterr().err
