// The console in the browser: everything works as plain links and forms, and this makes it quick.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

function say(text) {
  const said = $("#said");
  said.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { said.textContent = ""; }, 4000);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    say("The browser does not let this page copy");
  }
}

// Theme

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

// The view: filters in the address bar, the page changed in place

const view = $("form#view");
let loading, asked;

function address(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value !== "") query.append(name, value);
  if (query.has("from") || query.has("to")) query.delete("since");
  const text = query.toString();
  return form.getAttribute("action") + (text ? `?${text}` : "");
}

function fill(query) {
  for (const field of view.elements) {
    if (!field.name) continue;
    const values = query.getAll(field.name);
    if (field.type === "checkbox") field.checked = values.includes(field.value);
    else if (field !== document.activeElement) field.value = (values[0] ?? "").replace(/(\.\d+)?Z$/, "");
  }
}

function swap(page) {
  for (const part of $$("[data-swap]", page)) {
    const here = document.getElementById(part.id);
    if (here) here.replaceChildren(...part.childNodes);
  }
  const live = $("#live"), other = $("#live", page);
  live.dataset.after = other.dataset.after;
  live.hidden = other.hidden;
}

async function show(url, push = true) {
  loading?.abort();
  asked = url;
  loading = new AbortController();
  const results = $(".results");
  results.classList.add("loading");
  try {
    const answer = await fetch(url, { signal: loading.signal, headers: { Accept: "text/html" } });
    if (!answer.ok) { location.assign(url); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (push) history.pushState(null, "", url);
    swap(page);
    fill(new URL(url, location.href).searchParams);
    results.classList.remove("loading");
    follow();
  } catch (fault) {
    if (fault.name !== "AbortError") { results.classList.remove("loading"); say("The console does not answer"); }
  }
}

if (view) {
  const folding = $("#filters");
  if (matchMedia("(max-width: 899px)").matches) folding.open = false;
  view.addEventListener("submit", (event) => {
    event.preventDefault();
    show(address(view));
    if (event.target.contains(document.activeElement)) document.activeElement.blur();
  });
  view.addEventListener("change", (event) => {
    if (event.target.name === "from" || event.target.name === "to") view.elements.since.value = "";
    if (address(view) !== asked) show(address(view));
  });
  addEventListener("popstate", () => show(location.href, false));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#ranges a, #chips a, .actions a, .paging a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(link.href);
    if (link.closest(".paging")) scrollTo({ top: 0 });
  });
}

// The histogram: drag to zoom, click on a bar for that bar

function zoom(from, to) {
  const query = new URLSearchParams(location.search);
  for (const name of ["since", "before"]) query.delete(name);
  query.set("from", new Date(from).toISOString());
  query.set("to", new Date(to).toISOString());
  show(`/events?${query}`);
}

document.addEventListener("pointerdown", (event) => {
  const chart = event.target.closest(".histogram");
  if (!chart || !view || event.button !== 0) return;
  const box = chart.getBoundingClientRect();
  const { start, step, count } = chart.dataset;
  const moment = (x) => Number(start) + Math.min(Math.max((x - box.left) / box.width, 0), 1) * step * count;
  const begin = event.clientX;
  const mark = document.createElement("div");
  mark.className = "select";
  const draw = (move) => {
    const [left, right] = [Math.min(begin, move.clientX), Math.max(begin, move.clientX)];
    mark.style.left = `${Math.max(left - box.left, 0)}px`;
    mark.style.width = `${Math.min(right, box.right) - Math.max(left, box.left)}px`;
    if (!mark.isConnected) chart.append(mark);
  };
  const end = (up) => {
    removeEventListener("pointermove", draw);
    removeEventListener("pointerup", end);
    removeEventListener("pointercancel", end);
    mark.remove();
    if (up.type === "pointercancel") return;
    if (Math.abs(up.clientX - begin) > 4) {
      const [from, to] = [moment(begin), moment(up.clientX)].sort((a, b) => a - b);
      zoom(Math.floor(from / 1000) * 1000, Math.ceil(to / 1000) * 1000);
    } else {
      const bar = event.target.closest("g[data-from]");
      if (bar) zoom(bar.dataset.from, bar.dataset.to);
    }
  };
  addEventListener("pointermove", draw);
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
});

// Live updates

const MOST_ROWS = 50;
let stream, paused = false;

function follow() {
  stream?.close();
  stream = undefined;
  const live = $("#live");
  if (!live || live.hidden || paused || document.hidden) return;
  const query = new URLSearchParams(location.search);
  if (query.has("to") || query.has("before")) return;
  query.set("after", live.dataset.after);
  stream = new EventSource(`/live?${query}`);
  stream.addEventListener("update", (event) => take(JSON.parse(event.data)));
}

function take(told) {
  const rows = $("#rows");
  const selected = document.activeElement?.closest?.("#rows tr");
  if (told.fresh) {
    const made = document.createElement("template");
    made.innerHTML = told.rows;
    const keys = $$("tr", made.content).map((row) => row.dataset.key);
    if (keys[0]) $("#live").dataset.after = keys[0];
    rows.prepend(made.content);
    while (rows.rows.length > MOST_ROWS && rows.lastElementChild !== selected) rows.lastElementChild.remove();
    $("#end .empty")?.remove();
  }
  for (const [id, text] of Object.entries(told.parts)) {
    const part = document.getElementById(id);
    if (!part) continue;
    if (id === "chart") { if (!$(".select")) part.innerHTML = text; } else part.textContent = text;
  }
}

function pause() {
  const live = $("#live");
  if (!live || live.hidden) return;
  paused = !paused;
  live.setAttribute("aria-pressed", String(!paused));
  live.lastElementChild.textContent = paused ? "Paused" : "Live";
  if (paused) follow(); else show(location.href, false);
}

document.addEventListener("visibilitychange", follow);
follow();

// Names while typing

let asking;
document.addEventListener("input", (event) => {
  const kind = event.target.dataset?.names;
  if (!kind || event.target.value.length < 2) return;
  clearTimeout(asking);
  asking = setTimeout(async () => {
    const answer = await fetch(`/api/v1/names?kind=${kind}&text=${encodeURIComponent(event.target.value)}`);
    if (!answer.ok) return;
    const { names } = await answer.json();
    event.target.list.replaceChildren(...names.map((each) => {
      const option = document.createElement("option");
      option.value = each.name || each.key;
      return option;
    }));
  }, 150);
});

// What changes something

async function post(url, body) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": $('meta[name="csrf-token"]').content },
    body: JSON.stringify(body ?? {}),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.error || `The console said ${answer.status}`);
  return told;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const feedback = form.dataset.feedback, replay = form.dataset.replay;
  if (!feedback && !replay) return;
  event.preventDefault();
  const button = $("button", form);
  button.disabled = true;
  try {
    if (feedback) {
      await post(feedback, { verdict: form.elements.verdict.value, note: form.elements.note.value });
      form.reset();
      say("Feedback sent");
      await refreshRemarks();
    } else {
      const told = await post(replay, { again: form.elements.again?.checked ?? false });
      say(told.sent ? "Sent back to the raw topic" : "It was sent back before");
    }
  } catch (fault) {
    say(fault.message);
  }
  button.disabled = false;
});

async function refreshRemarks() {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  $("#remarks").replaceChildren(...$("#remarks", page).childNodes);
}

// Clicks and keys

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button, [data-back]");
  if (!button) return;
  if (button.id === "theme") switchTheme();
  else if (button.id === "keys") $("#shortcuts").showModal();
  else if (button.id === "live") pause();
  else if (button.dataset.copyAddress !== undefined) copy(location.href, "Link");
  else if (button.dataset.copy) copy($(button.dataset.copy).textContent, "Event");
  else if (button.dataset.post) { await post(button.dataset.post).catch(() => {}); location.assign("/"); }
  else if (button.dataset.back !== undefined && history.length > 1 && document.referrer === "" && sessionStorage.getItem("from-events")) {
    event.preventDefault();
    history.back();
  }
});
if (view) addEventListener("pagehide", () => sessionStorage.setItem("from-events", "yes"));

function step(by) {
  const links = $$("#rows .what a");
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  const next = links[Math.min(Math.max(at + by, 0), links.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

const PLACES = { e: "/events", a: "/alerts", o: "/overview", c: "/catalog", d: "/dead-letters" };
let going = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (going && PLACES[event.key]) { location.assign(PLACES[event.key]); return; }
  going = event.key === "g";
  const keys = {
    "/": () => { $("#filters")?.setAttribute("open", ""); $('input[type="search"]')?.focus(); },
    j: () => step(1),
    k: () => step(-1),
    p: pause,
    t: switchTheme,
    "?": () => $("#shortcuts").showModal(),
  };
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
