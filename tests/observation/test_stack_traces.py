"""Stack traces in error pages are seen, whatever wrote them, and only their place is kept."""

import json
import re
from html import escape

import pytest

from proxy.observation.stack_traces import LANGUAGES, MOST, trace_in

SECRET = "hunter2"

PYTHON = f"""Traceback (most recent call last):
  File "/srv/chat/app/main.py", line 40, in show
    return load(user)
  File "/srv/chat/app/store.py", line 12, in load
    raise KeyError(user)
KeyError: '{SECRET}'
"""
ODD = 'Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\nBoom: ' + SECRET
NODE = f"""TypeError: Cannot read properties of undefined (reading '{SECRET}')
    at show (/srv/chat/app/main.js:40:11)
    at Layer.handle [as handle_request] (/srv/chat/node_modules/express/lib/router/layer.js:95:5)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
"""
JAVA = f"""java.lang.IllegalStateException: {SECRET}
\tat com.example.chat.Store.load(Store.java:12)
\tat com.example.chat.Main.show(Main.java:40)
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: java.io.IOException: {SECRET}
\t... 2 more
"""
DOTNET = f"""System.InvalidOperationException: {SECRET}
   at Chat.Store.Load(String user) in C:\\src\\chat\\Store.cs:line 12
   at Chat.Main.Show(HttpContext context) in C:\\src\\chat\\Main.cs:line 40
"""
RELEASED = f"""System.InvalidOperationException: {SECRET}
   at Chat.Store.Load(String user)
   at Microsoft.AspNetCore.Routing.EndpointMiddleware.<Invoke>g__Await|10_0(Task task)
"""
GO = f"""panic: {SECRET}

goroutine 18 [running]:
runtime/debug.Stack()
\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e
main.load(0xc0000b2000)
\t/srv/chat/store.go:12 +0x1d
main.show({{0x7f, 0xc0}}, 0xc000)
\t/srv/chat/main.go:40 +0x2b
"""
RUBY = f"""app/models/store.rb:12:in `load': {SECRET} (ArgumentError)
\tfrom app/main.rb:40:in `show'
"""
RUBY_34 = f"""app/models/store.rb:12:in 'Store#load': {SECRET} (ArgumentError)
\tfrom app/main.rb:40:in 'Main#show'
"""
PHP = f"""PHP Fatal error:  Uncaught RuntimeException: {SECRET} in /srv/chat/store.php:12
Stack trace:
#0 /srv/chat/main.php(40): Store->load('{SECRET}')
#1 {{main}}
  thrown in /srv/chat/store.php on line 12
"""
PHP_HTML = (
    f"<br />\n<b>Warning</b>:  Undefined variable ${SECRET} in <b>/srv/chat/store.php</b>"
    " on line <b>12</b><br />"
)
LARAVEL = json.dumps(
    {
        "message": SECRET, "exception": "RuntimeException", "file": "/srv/chat/store.php",
        "line": 12, "trace": [{"file": "/srv/chat/main.php", "line": 40, "function": "load"}],
    }
)  # fmt: skip
DJANGO = f"""<title>KeyError at /show</title>
<tr><th scope="row">Exception Type:</th><td>KeyError</td></tr>
<tr><th scope="row">Exception Value:</th><td><pre>&#x27;{SECRET}&#x27;</pre></td></tr>
<tr><th scope="row">Exception Location:</th>
<td><span class="fname">/srv/chat/app/store.py</span>, line 12, in load</td></tr>
"""
WERKZEUG = f"""<title>KeyError: &#39;{SECRET}&#39; // Werkzeug Debugger</title>
<h4>File <cite class="filename">"/srv/chat/app/store.py"</cite>,
      line <em class="line">12</em>,
      in <code class="function">load</code></h4>
"""
EXPRESS = (
    "<title>Error</title><pre>" + escape(NODE).replace("\n   ", "<br> &nbsp; &nbsp;") + "</pre>"
)


@pytest.mark.parametrize(
    ("page", "place"),
    [
        pytest.param(PYTHON, "KeyError at app/store.py:12:load", id="Python"),
        pytest.param(ODD, "Python at <stdin>:1:<module>", id="Python, a class of no known name"),
        pytest.param(PYTHON[:35], "Python", id="Python, cut after its first line"),
        pytest.param(json.dumps({"detail": PYTHON}), "KeyError at app/store.py:12:load",
                     id="Python in JSON"),
        pytest.param(json.dumps({"detail": PYTHON.splitlines()}),
                     "KeyError at app/store.py:12:load", id="Python in JSON, line by line"),
        pytest.param(f"<pre>{escape(PYTHON)}</pre>", "KeyError at app/store.py:12:load",
                     id="Python in HTML"),
        pytest.param(DJANGO, "KeyError at app/store.py:12:load", id="Django's page"),
        pytest.param(WERKZEUG, "KeyError at app/store.py:12:load", id="Werkzeug's page"),
        pytest.param(NODE, "TypeError at app/main.js:40:show", id="Node"),
        pytest.param(json.dumps({"error": {"stack": NODE}}), "TypeError at app/main.js:40:show",
                     id="Node in JSON"),
        pytest.param(EXPRESS, "TypeError at app/main.js:40:show", id="Express's page"),
        pytest.param("Error: x\n    at file:///srv/app/main.mjs:3:7", "Error at app/main.mjs:3",
                     id="Node, a module"),
        pytest.param(JAVA, "java.lang.IllegalStateException at Store.java:12:"
                     "com.example.chat.Store.load", id="Java"),
        pytest.param(json.dumps({"status": 500, "trace": JAVA}), "java.lang.IllegalStateException"
                     " at Store.java:12:com.example.chat.Store.load", id="Spring's JSON"),
        pytest.param(DOTNET, "System.InvalidOperationException at chat/Store.cs:12:"
                     "Chat.Store.Load", id=".NET"),
        pytest.param(RELEASED, "System.InvalidOperationException at Chat.Store.Load",
                     id=".NET without line numbers"),
        pytest.param(json.dumps({"exception": {"details": DOTNET.replace("\n", "\r\n")}}),
                     "System.InvalidOperationException at chat/Store.cs:12:Chat.Store.Load",
                     id=".NET's problem details"),
        pytest.param(GO, "Go at chat/store.go:12:main.load", id="Go"),
        pytest.param(RUBY, "ArgumentError at models/store.rb:12:load", id="Ruby"),
        pytest.param(RUBY_34, "ArgumentError at models/store.rb:12:Store#load", id="Ruby 3.4"),
        pytest.param(PHP, "RuntimeException at chat/main.php:40:Store->load", id="PHP"),
        pytest.param(PHP_HTML, "PHP at chat/store.php:12", id="PHP, a warning in HTML"),
        pytest.param(LARAVEL.replace("/", "\\/"), "RuntimeException at chat/store.php:12",
                     id="Laravel's JSON"),
    ],
)  # fmt: skip
def test_a_trace_is_seen_and_only_its_place_is_kept(page: str, place: str) -> None:
    assert place == trace_in(page.encode())
    assert SECRET not in place


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("", id="nothing"),
        pytest.param("<html><h1>502 Bad Gateway</h1><hr>nginx/1.25</html>", id="nginx"),
        pytest.param("upstream connect error or disconnect/reset before headers. reset reason: x",
                     id="Envoy"),
        pytest.param("Internal Server Error", id="plain words"),
        pytest.param('{"error": "InternalServerError", "message": "please try again"}', id="JSON"),
        pytest.param('{"type": "error", "error": {"type": "overloaded_error"}}', id="a provider"),
        pytest.param("The service is down\nat 12:30:45 today, line 3 of the plan", id="a time"),
        pytest.param("Closed until noon\n  at the station (about 12)", id="a place"),
        pytest.param("See https://example.com/help.php on line 3", id="a link"),
        pytest.param(b"\xff\xfe\x00at \x00line".decode("latin-1"), id="bytes"),
    ],
)  # fmt: skip
def test_any_other_error_page_is_none(page: str) -> None:
    assert trace_in(page.encode("latin-1")) is None


def test_only_the_beginning_is_looked_at() -> None:
    filler = b"line\n" * (MOST // 5)

    assert trace_in(filler + PYTHON.encode()) is None
    assert trace_in(PYTHON.encode() + filler) is not None


@pytest.mark.parametrize("pattern", [each.frame.pattern for each in LANGUAGES])
def test_no_text_of_an_upstream_takes_long(pattern: str) -> None:
    """Every repetition has a bound."""
    operators = re.sub(r"\[[^\]]*\]|\\.", "", pattern)

    assert {"*", "+"}.isdisjoint(operators)
