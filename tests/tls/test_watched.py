"""Contexts that follow their files."""

from proxy.tls.rules import PortTls
from proxy.tls.watched import port_tls


def watched(pair):
    return port_tls("listen", PortTls(certificate=str(pair.certificate), key=str(pair.key)))


def test_nothing_changes_where_no_file_does(authority):
    tls = watched(authority.server())
    before = tls.context

    assert (None, before) == (tls.look(), tls.context)


def test_a_new_pair_is_taken(authority):
    pair = authority.server()
    tls = watched(pair)
    before, expires = tls.context, tls.expires
    pair.replace_by(authority.server(days=30))

    assert "loaded" == tls.look()
    assert before is not tls.context
    assert tls.expires < expires


def test_the_swap_of_a_symbolic_link_is_seen(authority, tmp_path):
    """As Kubernetes renews a secret: `..data` is a link to a directory, and is renamed over."""
    for number in (1, 2):
        pair = authority.server()
        (tmp_path / f"..{number}").mkdir()
        pair.certificate.rename(tmp_path / f"..{number}" / "tls.crt")
        pair.key.rename(tmp_path / f"..{number}" / "tls.key")
    (tmp_path / "..data").symlink_to("..1")
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    rule = PortTls(certificate=str(tmp_path / "tls.crt"), key=str(tmp_path / "tls.key"))
    tls = port_tls("listen", rule)
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").rename(tmp_path / "..data")

    assert "loaded" == tls.look()


def test_a_key_may_follow_its_certificate(authority):
    """One look between the two is no fault."""
    pair, other = authority.server(), authority.server()
    tls = watched(pair)
    before = tls.context
    pair.certificate.write_bytes(other.certificate.read_bytes())
    assert (None, None, before) == (tls.look(), tls.rejected, tls.context)
    pair.key.write_bytes(other.key.read_bytes())

    assert "loaded" == tls.look()


def test_a_bad_pair_leaves_the_old_one_and_is_said_once(authority):
    pair = authority.server()
    tls = watched(pair)
    before, kept = tls.context, pair.key.read_bytes()
    pair.key.write_bytes(authority.server().key.read_bytes())

    assert [None, "rejected", None, None] == [tls.look() for _ in range(4)]
    assert before is tls.context
    assert "is not the key of the certificate" in tls.rejected
    pair.key.write_bytes(kept)
    assert "loaded" == tls.look()
    assert tls.rejected is None


def test_a_file_that_is_gone_leaves_the_old_pair(authority):
    pair = authority.server()
    tls = watched(pair)
    pair.certificate.unlink()

    assert [None, "rejected"] == [tls.look() for _ in range(2)]
    assert "cannot be read" in tls.rejected


def test_no_expired_certificate_takes_the_place_of_a_valid_one(authority):
    pair = authority.server()
    tls = watched(pair)
    pair.replace_by(authority.server(days=-1))

    assert [None, "rejected"] == [tls.look() for _ in range(2)]
    assert "expired at" in tls.rejected
