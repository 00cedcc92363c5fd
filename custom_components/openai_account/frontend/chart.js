// @ts-check
// A chart of stacked bars.

import { html, svg } from "./dom.js";
import { axisMoney, date, money } from "./format.js";

/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./costs.js").Costs} Costs */
/** @typedef {import("./texts.js").Texts} Texts */

const HEIGHT = 240;
/** The room for the labels below the bars, and above the highest line. */
const BELOW = 24;
const ABOVE = 8;
/** How wide a character of a label is at most, in pixels. */
const CHARACTER = 7;
/** How many rows a tooltip has at most. */
const ROWS = 8;

export const CHART_STYLES = `
  .chart { position: relative; height: ${HEIGHT}px; touch-action: pan-y; border-radius: 8px; }
  .chart svg { display: block; width: 100%; height: 100%; overflow: visible; }
  .chart text { fill: var(--secondary-text-color); font-size: 12px; }
  .chart line { stroke: var(--divider-color); }
  .chart .marked { fill: var(--primary-text-color); opacity: 0.08; }
  .tooltip { position: absolute; top: 0; z-index: 1; pointer-events: none; max-width: 70%;
    padding: 8px; border-radius: 8px; background: var(--card-background-color, white);
    color: var(--primary-text-color); box-shadow: 0 2px 8px rgba(0, 0, 0, 0.3);
    font-size: var(--ha-font-size-s, 12px); }
  .tooltip table { border-spacing: 0; }
  .tooltip th { text-align: start; font-weight: normal; padding: 1px 12px 1px 0; }
  .tooltip td { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap;
    padding: 1px 0; }
  .tooltip .total > * { font-weight: bold; padding-bottom: 4px; }
  .swatch { display: inline-block; flex: none; width: 10px; height: 10px; border-radius: 50%;
    margin-inline-end: 6px; }
`;

/**
 * Return a chart of costs. With the mouse, a finger or the arrow keys a bar is chosen, whose costs
 * are then shown.
 *
 * @param {Hass} hass
 * @param {Costs} costs
 * @param {Texts} texts
 * @param {number} width in pixels
 * @returns {HTMLElement}
 */
export function chart(hass, costs, texts, width) {
  const { lowest, highest, step } = axisOf(costs);
  const lines = Array.from(
    { length: Math.round((highest - lowest) / step) + 1 },
    (_, place) => lowest + place * step,
  );
  const labels = lines.map((amount) => axisMoney(hass, amount, step));
  const left = Math.max(...labels.map((label) => label.length)) * CHARACTER + 8;
  const band = (width - left) / costs.buckets.length;
  /** @type {(amount: number) => number} */
  const y = (amount) =>
    ABOVE + ((highest - amount) / (highest - lowest)) * (HEIGHT - ABOVE - BELOW);

  const marked = svg("rect", { class: "marked", y: ABOVE, height: HEIGHT - ABOVE - BELOW, width: 0 });
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" },
    ...lines.flatMap((amount, place) => [
      svg("line", { x1: left, x2: width, y1: y(amount), y2: y(amount) }),
      svg(
        "text",
        { x: left - 8, y: y(amount), "text-anchor": "end", "dominant-baseline": "middle" },
        labels[place],
      ),
    ]),
    marked,
    ...bars(costs, left, band, y),
    ...dateLabels(hass, costs.buckets, left, band),
  );
  const element = html(
    "div",
    {
      class: "chart",
      role: "slider",
      tabindex: 0,
      "aria-label": texts.chart,
      "aria-valuemin": 1,
      "aria-valuemax": costs.buckets.length,
    },
    drawing,
  );

  let chosen = costs.buckets.length - 1;
  /** @type {HTMLElement | undefined} */
  let tip;
  const hide = () => {
    tip?.remove();
    marked.setAttribute("width", "0");
  };
  const describe = () => {
    element.setAttribute("aria-valuenow", String(chosen + 1));
    element.setAttribute("aria-valuetext", describeBucket(hass, costs, chosen));
  };
  const show = () => {
    hide();
    describe();
    const x = left + chosen * band;
    marked.setAttribute("x", String(x));
    marked.setAttribute("width", String(band));
    tip = tooltip(hass, costs, texts, chosen);
    const isLeft = x + band / 2 < width / 2;
    tip.style.setProperty(isLeft ? "left" : "right", `${isLeft ? x + band : width - x}px`);
    element.append(tip);
  };
  /** @type {(event: PointerEvent) => void} */
  const point = (event) => {
    const scale = width / drawing.getBoundingClientRect().width;
    const place = Math.floor((event.offsetX * scale - left) / band);
    if (event.target !== tip && place >= 0 && place < costs.buckets.length) {
      chosen = place;
      show();
    }
  };
  element.addEventListener("pointermove", point);
  element.addEventListener("pointerdown", point);
  element.addEventListener("pointerleave", hide);
  element.addEventListener("blur", hide);
  element.addEventListener("keydown", (event) => {
    const last = costs.buckets.length - 1;
    /** @type {Record<string, number | undefined>} */
    const targets = { ArrowLeft: chosen - 1, ArrowRight: chosen + 1, Home: 0, End: last };
    const target = targets[event.key];
    if (target !== undefined) {
      event.preventDefault();
      chosen = Math.min(Math.max(target, 0), last);
      show();
    } else if (event.key === "Escape") {
      hide();
    }
  });
  describe();
  return element;
}

/**
 * Return the ends of the axis, and the distance between its lines.
 *
 * @param {Costs} costs
 * @returns {{lowest: number, highest: number, step: number}}
 */
function axisOf(costs) {
  /** @type {(place: number, sign: 1 | -1) => number} */
  const stack = (place, sign) =>
    costs.groups.reduce((sum, { costs: [...all] }) => {
      const cost = all[place] ?? 0;
      return Math.sign(cost) === sign ? sum + cost : sum;
    }, 0);
  const highest = Math.max(...costs.buckets.map((_, place) => stack(place, 1)));
  const lowest = Math.min(...costs.buckets.map((_, place) => stack(place, -1)));
  const step = roundUp((highest - lowest || 1) / 4);
  return {
    lowest: Math.floor(lowest / step) * step,
    highest: Math.max(Math.ceil(highest / step), lowest < 0 ? 0 : 1) * step,
    step,
  };
}

/**
 * Return the next number that reads well: 1, 2, 2.5 or 5 times a power of ten.
 *
 * @param {number} number
 * @returns {number}
 */
function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return ([1, 2, 2.5, 5].find((one) => one * power >= number * 0.999) ?? 10) * power;
}

/**
 * @param {Costs} costs
 * @param {number} left
 * @param {number} band
 * @param {(amount: number) => number} y
 * @returns {SVGElement[]}
 */
function bars(costs, left, band, y) {
  const gap = Math.min(band * 0.3, 12);
  return costs.buckets.flatMap((_, place) => {
    let [above, below] = [0, 0];
    return costs.groups.flatMap((group) => {
      const cost = group.costs[place] ?? 0;
      const from = cost < 0 ? below : above;
      const to = from + cost;
      [above, below] = cost < 0 ? [above, to] : [to, below];
      const height = Math.abs(y(from) - y(to));
      return cost === 0
        ? []
        : [
            svg("rect", {
              x: left + place * band + gap / 2,
              y: Math.min(y(from), y(to)),
              width: Math.max(band - gap, 1),
              height,
              style: `fill: ${group.color}`,
            }),
          ];
    });
  });
}

/**
 * Return labels of the bars, as many as have room.
 *
 * @param {Hass} hass
 * @param {string[]} buckets
 * @param {number} left
 * @param {number} band
 * @returns {SVGElement[]}
 */
function dateLabels(hass, buckets, left, band) {
  const labels = buckets.map((bucket) => date(hass, bucket, "short"));
  const widest = Math.max(...labels.map((label) => widthOf(label))) + 12;
  const every = Math.ceil(widest / band);
  // Counted from the end: the last bar is the one that people look at.
  return labels.flatMap((label, place) => {
    const middle = left + (place + 0.5) * band;
    const isLabeled = (buckets.length - 1 - place) % every === 0;
    const isLast = place === buckets.length - 1 && widthOf(label) > band;
    return isLabeled && middle - widthOf(label) / 2 >= 0
      ? [
          svg(
            "text",
            {
              x: isLast ? left + (place + 1) * band : middle,
              y: HEIGHT - 6,
              "text-anchor": isLast ? "end" : "middle",
            },
            label,
          ),
        ]
      : [];
  });
}

/**
 * Return about how wide a label is; a Chinese character takes the room of two.
 *
 * @param {string} label
 * @returns {number}
 */
function widthOf(label) {
  return [...label].reduce((sum, one) => sum + (one > "\u2e7f" ? 2 : 1) * CHARACTER, 0);
}

/**
 * @param {Hass} hass
 * @param {Costs} costs
 * @param {number} place
 * @returns {string}
 */
function describeBucket(hass, costs, place) {
  const bucket = date(hass, costs.buckets[place] ?? "", "long");
  return `${bucket}: ${money(hass, costs.costs[place] ?? 0)}`;
}

/**
 * @param {Hass} hass
 * @param {Costs} costs
 * @param {Texts} texts
 * @param {number} place
 * @returns {HTMLElement}
 */
function tooltip(hass, costs, texts, place) {
  const groups = costs.groups
    .filter((group) => group.costs[place])
    .sort((one, other) => (other.costs[place] ?? 0) - (one.costs[place] ?? 0));
  const more = groups.slice(ROWS);
  const rows = groups.slice(0, ROWS).map((group) => ({
    name: group.name ?? texts.other,
    color: group.color,
    cost: group.costs[place] ?? 0,
  }));
  if (more.length) {
    rows.push({
      name: texts.more.replace("{number}", String(more.length)),
      color: "transparent",
      cost: more.reduce((sum, group) => sum + (group.costs[place] ?? 0), 0),
    });
  }
  return html(
    "div",
    { class: "tooltip" },
    html(
      "table",
      {},
      html(
        "tr",
        { class: "total" },
        html("th", {}, date(hass, costs.buckets[place] ?? "", "long")),
        html("td", {}, money(hass, costs.costs[place] ?? 0)),
      ),
      ...(costs.groups.some((group) => group.name !== null)
        ? rows.map(({ name, color, cost }) =>
            html(
              "tr",
              {},
              html("th", {}, html("span", { class: "swatch", style: `background: ${color}` }), name),
              html("td", {}, money(hass, cost)),
            ),
          )
        : []),
    ),
  );
}
