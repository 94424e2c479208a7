// The comfort reading: how much of the comfortable budget a stereo setting takes.

import { ask, newest } from "./api.js";
import { find, make } from "./page.js";

const percent = (value) => `${value.toFixed(1)} %`;

function show(reading) {
  const share = Math.round(reading.budget * 100);
  const bar = find("budget");
  bar.dataset.level = share > 100 ? "bad" : share > 80 ? "fair" : "good";
  bar.firstElementChild.style.width = `${Math.min(100, share)}%`;
  bar.setAttribute("aria-valuenow", String(Math.min(100, share)));
  bar.setAttribute("aria-valuetext", `${share} % of what is comfortable`);
  const word = share > 100 ? "Too strong for many eyes" : share > 80 ? "Strong" : "Comfortable";
  find("comfort-text").textContent = `${word}: ${share} % of the budget`;
  const rows = [
    ["Before the screen", percent(reading.crossed)],
    ["Behind the screen", percent(reading.uncrossed)],
    ["On this screen", `${Math.round(reading.arc_minutes)} arc min`],
    ["Cut off at the edges", percent(Math.max(...reading.window))],
  ];
  find("comfort-numbers").replaceChildren(...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  const window = Math.max(...reading.window) > 0.3;
  const lines = [...reading.warnings, ...(window ? ["Something at the edge stands before the screen: lower the parallax or raise the convergence."] : [])];
  find("comfort-warnings").replaceChildren(...lines.map((line) => make("li", {}, line)));
}

/** Returns a function that updates the reading for the present settings and photo. */
export function wireComfort(settings, photo) {
  const update = newest(async () => {
    if (!photo.facts) return;
    const { parallax, convergence } = settings;
    const { borders, width, height } = photo.facts;
    const [screen, distance] = [find("screen").value, find("distance").value];
    try {
      show(await ask("comfort", { parallax, convergence, borders, aspect: width / height, screen, distance }));
    } catch (error) {
      find("comfort-text").textContent = error.message;
    }
  });
  for (const id of ["screen", "distance"]) find(id).addEventListener("change", () => update());
  return () => update();
}
