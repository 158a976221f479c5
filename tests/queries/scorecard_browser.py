"""Headless Chromium driven over its DevTools protocol: what a person would click, press and print."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """One page; `errors` holds what its console complained of, `asked` what it wanted to load."""

    def __init__(self, folder: Path) -> None:
        found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        assert found, "no browser: install one with 'apt-get install chromium' and run the tests again"  # fmt: skip
        profile = folder / "profile"
        self.process = subprocess.Popen(
            [found, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--window-size=1400,1000", "--remote-debugging-port=0",
             f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        port = self._wait(profile / "DevToolsActivePort")
        self.socket = connect(f"ws://127.0.0.1:{port[0]}{port[1]}", max_size=None)
        self.numbers = itertools.count(1)
        self.session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]  # fmt: skip
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    @staticmethod
    def _wait(path: Path) -> list[str]:
        for _ in range(300):
            if path.exists() and len(lines := path.read_text().split()) == 2:
                return lines
            time.sleep(0.1)
        raise AssertionError("the browser did not start")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self.numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv(timeout=60))
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)

    def open(self, page: Path, patience: float = 10.0) -> None:
        """Shows a page; waits so many seconds until it is complete."""
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        for _ in range(int(patience / 0.05)):
            if self.run("document.readyState") == "complete" and self.run("location.protocol") == "file:":  # fmt: skip
                return
            time.sleep(0.05)
        raise AssertionError("the page did not load")

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        result = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def click(self, selector: str) -> None:
        """A click of the mouse into the middle of an element."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center', inline: 'center'}); const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=code, **({"text": text} if text and kind == "keyDown" else {}))  # fmt: skip

    def choose(self, name: str, value: str) -> None:
        """A choice in one of the filters."""
        self.run(
            f"(() => {{ const s = document.querySelector('select[name={name}]'); s.value = {json.dumps(value)};"
            " s.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    def pdf(self) -> bytes:
        made = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(made["data"])

    @property
    def errors(self) -> list[str]:
        self.run("1")
        return [
            json.dumps(event["params"])[:300]
            for event in self.events
            if event.get("method") == "Runtime.exceptionThrown"
            or event.get("method") == "Log.entryAdded"
            or (event.get("method") == "Runtime.consoleAPICalled")
        ]

    @property
    def asked(self) -> list[str]:
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]

    def close(self) -> None:
        self.socket.close()
        self.process.terminate()
        self.process.wait(timeout=20)
