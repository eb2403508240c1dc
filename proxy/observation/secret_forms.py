"""The forms of secrets: shapes of tokens, and names under which values are secret.

Two tables and the patterns made of them; `redaction` applies them. Every pattern takes time that
is linear in its text: whatever repeats without bound is possessive or cannot fail.
"""

import re
from dataclasses import dataclass
from typing import Final

_ALNUM: Final = "[A-Za-z0-9]"
_WORD: Final = r"[\w-]"
_DOTTED: Final = r"[\w.-]"


@dataclass(frozen=True, slots=True)
class SecretShape:
    """One of `starts`, then at least `least` characters of the class `rest`."""

    starts: tuple[str, ...]
    rest: str
    least: int
    within: bool = False
    """Whether a letter or digit may stand before it."""
    any_case: bool = False

    @property
    def pattern(self) -> str:
        start = "|".join(map(re.escape, self.starts))
        start = f"(?i:{start})" if self.any_case else f"(?:{start})"
        return f"{'' if self.within else '(?<![A-Za-z0-9])'}{start}{self.rest}{{{self.least},}}"


SHAPES: Final[dict[str, SecretShape]] = {
    "json_web_token": SecretShape(("eyJ",), _DOTTED, 6, within=True),
    "openai_anthropic_stripe": SecretShape(("sk-", "sk_"), _WORD, 6, any_case=True),
    "stripe_restricted": SecretShape(("rk_live_", "rk_test_"), _ALNUM, 10),
    "github": SecretShape(
        tuple(f"gh{kind}_" for kind in "abcdefghijklmnopqrstuvwxyz"), r"\w", 16, True
    ),
    "github_fine_grained": SecretShape(("github_pat_",), r"\w", 16, within=True),
    "gitlab": SecretShape(("glpat-",), _WORD, 16),
    "slack": SecretShape(
        tuple(f"xox{kind}-" for kind in "abcdefghijklmnopqrstuvwxyz"), _WORD, 10, True
    ),
    "slack_app": SecretShape(("xapp-",), _WORD, 10),
    "slack_webhook": SecretShape(("hooks.slack.com/services/",), r"[\w/]", 10),
    "aws": SecretShape(("AKIA", "ASIA"), "[A-Z0-9]", 12, within=True),
    "google_key": SecretShape(("AIza",), _WORD, 20, within=True),
    "google_access": SecretShape(("ya29.",), _WORD, 16),
    "google_client": SecretShape(("GOCSPX-",), _WORD, 16),
    "groq": SecretShape(("gsk_",), _ALNUM, 16),
    "xai": SecretShape(("xai-",), _ALNUM, 16),
    "hugging_face": SecretShape(("hf_",), _ALNUM, 16),
    "perplexity": SecretShape(("pplx-",), _ALNUM, 16),
    "replicate": SecretShape(("r8_",), _ALNUM, 16),
    "fireworks": SecretShape(("fw_",), _ALNUM, 16),
    "npm": SecretShape(("npm_",), _ALNUM, 16),
    "pypi": SecretShape(("pypi-AgE",), _WORD, 16),
    "sendgrid": SecretShape(("SG.",), _DOTTED, 30),
    "twilio": SecretShape(("AC", "SK"), "[0-9a-f]", 32),
}
"""Token shapes, redacted wherever they stand, by who gives them out."""

SCHEMES: Final = (
    r"(?i:bearer)[\s+:=,.]++[^\s&,\"']++",
    r"(?i:basic)[\s+:=]++[A-Za-z0-9+/=_-]{6,}",
)
"""What stands in `Authorization`, and in subprotocols such as `base64url.bearer.…`."""

STEMS: Final = (
    "token", "key", "secret", "passw", "passphrase", "pwd", "signature", "session", "sessid",
    "authoriz", "oauth", "cookie", "credential", "jwt", "assertion", "verifier", "saml", "csrf",
    "xsrf",
)  # fmt: skip
"""A name that has one of these in it speaks of a secret."""

WORDS: Final = ("auth", "sig", "sid", "sess", "pass", "otp", "ticket")
"""So does a name that has one of these between other characters than letters."""

WHOLE: Final = ("code", "state")
"""And a name that is one of these: what OAuth sends back is as good as the token."""

HINTS: Final = tuple(stem for stem in STEMS + WORDS + WHOLE if stem not in ("sessid", "oauth"))
"""A text without any of these has no secret's name in it (`sess` and `auth` find the others)."""

GATES: Final[dict[str, tuple[str, ...]]] = {
    "@": ("//",),
    "x": ("xox", "xapp-", "xai-", "cspx-", "pplx-"),
    "y": ("eyj", "pypi-age"),
    "z": ("aiza",),
    "k": ("sk-", "akia"),
    "_": ("sk_", "rk_", "gh", "hf_", "r8_", "fw_", "npm_", "hub_pat_"),
    ".": ("sg.", "ya29.", "hooks.slack"),
    "g": ("glpat-",),
    "r": ("bearer",),
    "s": ("basic", "asia"),
}
"""A shape is in a text only if, in lower case, one of these is, with one of what stands beside it,
or as it stands `AC` or `SK`.

The search for a single character costs a fraction of that for several, and most texts have few
of these.
"""

SHAPE: Final = re.compile("|".join([*(shape.pattern for shape in SHAPES.values()), *SCHEMES]))

_EDGE: Final = r"&\s?;#,/=\"'{"
"""What a name ends at, as the inside of a character class."""

_SECRET: Final = (
    f"{'|'.join(STEMS)}|(?<![a-z])(?:{'|'.join(WORDS)})(?![a-z])"
    f"|(?<![^{_EDGE}])(?:{'|'.join(WHOLE)})(?![^{_EDGE}])"
)
_NAMED: Final = (
    rf"(?<![^{_EDGE}])((?:(?!{_SECRET})[^{_EDGE}])*+(?:{_SECRET})[^{_EDGE}]*+"
    r"(?:[\"']\s*+[:=]\s*+|=))"
)

SECRET_NAME: Final = re.compile(_SECRET, re.IGNORECASE)
NAMED: Final = re.compile(
    _NAMED + r"(?:\\*+\"(?:[^\"\\]|\\.)*+\"?|[^&\s]++)", re.IGNORECASE | re.DOTALL
)
"""A secret's name, `=` or (of JSON) `:`, and its value, which ends at `&`, a blank or its quote."""

NAMED_TO_END: Final = re.compile(_NAMED + r".++", re.IGNORECASE | re.DOTALL)
"""The same, all that follows being the value: what was decoded has no separators left."""
