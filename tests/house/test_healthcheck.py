"""The health check of a container asks the port that the running process was told to use."""

import asyncio
from pathlib import Path

from proxy.cli import main


def tls_of(pair):
    return {"tls": {"certificate": str(pair.certificate), "key": str(pair.key)}}


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


async def test_it_speaks_tls_where_the_port_does(process, authority):
    """Believing the certificate by its own file: nobody has to trust its authority here."""
    pair = authority.server(days=1)
    running = await process(admin=tls_of(pair))

    assert 0 == await check(running.process.pid)


async def test_it_shows_the_certificate_of_the_port_where_one_is_wanted(process, authority):
    tls = tls_of(authority.server())["tls"] | {"client_ca": str(authority.certificate)}
    running = await process(admin={"tls": tls})

    assert 0 == await check(running.process.pid)


async def test_it_does_not_believe_another_certificate(process, authority, capsys):
    pair = authority.server()
    running = await process(admin=tls_of(pair))
    pair.replace_by(authority.server())
    answer = await check(running.process.pid)

    assert 1 == answer
    assert "certificate verify failed" in capsys.readouterr().err


async def test_paths_are_meant_from_where_that_process_runs(process, monkeypatch, tmp_path):
    running = await process()
    monkeypatch.chdir(tmp_path)

    assert 0 == await check(running.process.pid)
    assert tmp_path == Path.cwd()
