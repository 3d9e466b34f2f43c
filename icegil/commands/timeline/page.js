"use strict";
const svg = document.querySelector("svg");
const tip = document.getElementById("tip");
const all = { x: 0, y: 0, width: svg.viewBox.baseVal.width, height: svg.viewBox.baseVal.height };
let view = { ...all };
let current = null;

// The browser's own tooltips are slow and cannot be reached with the keyboard: ours say the same.
const parts = [];
for (const title of svg.querySelectorAll("g title")) {
  const part = title.parentElement;
  part.dataset.tip = `${part.closest("g").getAttribute("aria-label")}\n${title.textContent}`;
  part.setAttribute("aria-label", title.textContent);
  parts.push(part);
  title.remove();
}
svg.setAttribute("role", "group");
svg.setAttribute("tabindex", "0");

function show(next) {
  const width = Math.min(Math.max(next.width, all.width / 400), all.width);
  const height = width * all.height / all.width;
  view = {
    x: Math.min(Math.max(next.x, 0), all.width - width),
    y: Math.min(Math.max(next.y, 0), all.height - height),
    width,
    height,
  };
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
}

function zoom(factor, at) {
  const width = Math.min(Math.max(view.width * factor, all.width / 400), all.width);
  const share = width / view.width;
  show({ x: at.x - (at.x - view.x) * share, y: at.y - (at.y - view.y) * share, width });
}

function middle() {
  return { x: view.x + view.width / 2, y: view.y + view.height / 2 };
}

function pan(right, down) {
  show({ ...view, x: view.x + right, y: view.y + down });
}

function place(event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
}

function tell(part, x, y) {
  tip.hidden = !part;
  if (!part) return;
  tip.textContent = part.dataset.tip;
  tip.style.left = `${Math.max(0, Math.min(x + 12, innerWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${Math.max(0, Math.min(y + 16, innerHeight - tip.offsetHeight - 4))}px`;
}

function tellOf(part) {
  current?.classList.remove("current");
  current = part;
  if (!part) return tell(null);
  part.classList.add("current");
  const box = part.getBBox();
  const isVisible = box.x + box.width > view.x && box.x < view.x + view.width &&
    box.y >= view.y && box.y + box.height <= view.y + view.height;
  if (!isVisible) {
    show({ ...view, x: box.x + box.width / 2 - view.width / 2, y: box.y + box.height / 2 - view.height / 2 });
  }
  const seen = part.getBoundingClientRect();
  tell(part, Math.max(seen.left, 0), seen.bottom - 10);
}

function step(by) {
  const at = current ? parts.indexOf(current) + by : by > 0 ? 0 : -1;
  tellOf(parts.at(at % parts.length) ?? null);
}

svg.addEventListener("wheel", (event) => {
  event.preventDefault();
  tellOf(null);
  zoom(Math.exp(event.deltaY * (event.deltaMode ? 0.05 : 0.002)), place(event));
}, { passive: false });

let held = null;
svg.addEventListener("pointerdown", (event) => {
  if (event.button === 0) held = place(event);
});
svg.addEventListener("pointermove", (event) => {
  if (!held) {
    tell(event.target.closest("[data-tip]"), event.clientX, event.clientY);
    return;
  }
  const now = place(event);
  tell(null);
  pan(held.x - now.x, held.y - now.y);
});
addEventListener("pointerup", () => { held = null; });
addEventListener("pointercancel", () => { held = null; });
svg.addEventListener("pointerleave", () => tell(null));
svg.addEventListener("focusin", (event) => {
  if (event.target.dataset.tip) tellOf(event.target);
});

const keys = {
  "+": () => zoom(0.8, middle()),
  "=": () => zoom(0.8, middle()),
  "-": () => zoom(1.25, middle()),
  "0": () => show(all),
  Home: () => show(all),
  ArrowLeft: () => pan(-view.width / 10, 0),
  ArrowRight: () => pan(view.width / 10, 0),
  ArrowUp: () => pan(0, -view.height / 10),
  ArrowDown: () => pan(0, view.height / 10),
  n: () => step(1),
  p: () => step(-1),
  Escape: () => tellOf(null),
};
addEventListener("keydown", (event) => {
  const act = keys[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
});
document.getElementById("in").onclick = keys["+"];
document.getElementById("out").onclick = keys["-"];
document.getElementById("all").onclick = keys["0"];
