// What a page can do beyond showing: keep itself fresh, ask for changes, lead to the search box.
// Everything else works without it. What is shown comes from the server, escaped there.
"use strict";

const EVERY = 2000;
const lost = document.getElementById("lost");
let broken = 0;

document.documentElement.classList.add("js");

function ago(seconds) {
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return `${Math.floor(seconds)} s ago`;
}

// Times say how long ago they were; the title keeps the exact one.
function age() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    if (!(seconds >= 0)) continue;
    const words = time.querySelector(".ago") ?? time.appendChild(document.createElement("span"));
    words.className = "ago";
    words.textContent = ago(seconds);
  }
}

// Where a link or button leads: rows come and go above it, this stays.
function target(element) {
  return element.getAttribute("href") ?? element.dataset.post;
}

// The element of `fresh` that is what `old` was; of several that lead there the one with its words.
function again(old, fresh) {
  const alike = [...fresh.querySelectorAll("a, button")].filter((one) => target(one) === target(old));
  return alike.find((one) => one.textContent === old.textContent) ?? alike[0];
}

// Puts the part of the overview that changes into its place; the focus stays where it was.
async function refresh() {
  const live = document.getElementById("live");
  if (!live || document.hidden) return;
  try {
    const answer = await fetch("/live", { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(8000) });
    if (answer.status === 401 || answer.status === 403) return location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    const focused = live.contains(document.activeElement) && document.activeElement;
    live.replaceWith(fresh);
    if (focused) again(focused, fresh)?.focus();
    broken = 0;
    age();
  } catch {
    broken += 1;
  }
  lost.hidden = broken < 2;
}

async function ask(button) {
  const question = button.dataset.confirm;
  if (question && !window.confirm(question)) return;
  button.disabled = true;
  try {
    const answer = await fetch(button.dataset.post, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: button.dataset.body ?? "{}",
    });
    const told = await answer.json();
    if (!answer.ok) window.alert(told.message);
    else if (told.results) window.alert(results(told.results));
    if (answer.ok && !told.results) location.reload();
  } catch {
    window.alert("No answer from Sidelight.");
  }
  button.disabled = false;
}

function results(list) {
  if (!list.length) return "No receiver is set: see alerts.webhooks in the settings.";
  return list.map((one) => `${one.receiver}: ${one.result} ${one.detail ?? ""}`).join("\n");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-post]");
  if (button) ask(button);
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "Escape" && typing) typing.blur();
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.getElementById("search")?.focus();
});

// A click on an ID or a text marks all of it, and a button copies it.
for (const part of document.querySelectorAll("[data-copy]")) {
  const mark = () => window.getSelection().selectAllChildren(part);
  part.addEventListener("click", mark);
  const copy = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
  copy.addEventListener("click", async () => {
    mark();
    try {
      await navigator.clipboard.writeText(part.textContent);
    } catch {
      document.execCommand("copy"); // where the page came by plain HTTP
    }
    copy.textContent = "Copied";
  });
  part.after(copy);
}

age();
setInterval(refresh, EVERY);
setInterval(age, 10000);
document.addEventListener("visibilitychange", refresh);
