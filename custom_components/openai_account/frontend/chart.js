// @ts-check
// A chart of stacked bars.

import { html, svg } from "./dom.js";
import { date } from "./format.js";

/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./series.js").Series} Series */
/** @typedef {import("./texts.js").Texts} Texts */
/**
 * @typedef {object} Unit how the values of a chart are written
 * @property {(hass: Hass, value: number) => string} format
 * @property {(hass: Hass, value: number, step: number) => string} axis
 */
/**
 * @typedef {object} Choice what is chosen in a chart; a chart that takes its place goes on with it
 * @property {HTMLElement} [chart] the one that is on the page
 * @property {string} [bucket]
 * @property {boolean} [isShown] whether there is a tooltip
 */

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
  /* In languages from right to left, too, time goes to the right, and labels end at the axis. */
  .chart text { fill: var(--secondary-text-color); font-size: 12px; direction: ltr; }
  .chart line { stroke: var(--divider-color); }
  .chart .marked { fill: var(--primary-text-color); opacity: 0.08; }
  .tooltip { position: absolute; top: 0; z-index: 1; pointer-events: none; max-width: 70%;
    padding: 8px; border-radius: 8px; background: var(--card-background-color, white);
    color: var(--primary-text-color); box-shadow: 0 2px 8px rgba(0, 0, 0, 0.3);
    font-size: var(--ha-font-size-s, 12px); }
  .tooltip table { border-spacing: 0; }
  .tooltip th { text-align: start; font-weight: normal; padding: 1px 0; padding-inline-end: 12px; }
  .tooltip td { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap;
    padding: 1px 0; }
  .tooltip .total > * { font-weight: bold; padding-bottom: 4px; }
  .swatch { display: inline-block; flex: none; width: 10px; height: 10px; border-radius: 50%;
    margin-inline-end: 6px; }
`;

/**
 * Return a chart. With the mouse, a finger or the arrow keys a bar is chosen, whose values are then
 * shown.
 *
 * @param {Hass} hass
 * @param {Series} series
 * @param {Unit} unit
 * @param {Texts} texts
 * @param {string} label what the chart shows, for those who cannot see it
 * @param {number} width in pixels
 * @param {Choice} choice
 * @returns {HTMLElement}
 */
export function chart(hass, series, unit, texts, label, width, choice) {
  const { lowest, highest, step } = axisOf(series);
  const lines = Array.from(
    { length: Math.round((highest - lowest) / step) + 1 },
    (_, place) => lowest + place * step,
  );
  const labels = lines.map((amount) => unit.axis(hass, amount, step));
  const left = Math.max(...labels.map(widthOf)) + 8;
  const band = (width - left) / series.buckets.length;
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
    ...bars(series, left, band, y),
    ...dateLabels(hass, series.buckets, left, band),
  );
  const element = html(
    "div",
    {
      class: "chart",
      id: "chart",
      role: "slider",
      tabindex: 0,
      "aria-label": label,
      "aria-valuemin": 1,
      "aria-valuemax": series.buckets.length,
    },
    drawing,
  );

  const last = series.buckets.length - 1;
  const before = series.buckets.indexOf(choice.bucket ?? "");
  let chosen = before < 0 ? last : before;
  const isShown = before >= 0 && choice.isShown;
  choice.chart = element;
  /** @type {HTMLElement | undefined} */
  let tip;
  const hide = () => {
    tip?.remove();
    // One that was replaced loses the focus after the new one has shown its tooltip.
    if (choice.chart === element) {
      choice.isShown = false;
    }
    marked.setAttribute("width", "0");
    document.removeEventListener("pointerdown", hideElsewhere);
  };
  /** @type {(event: PointerEvent) => void} */
  const hideElsewhere = (event) => {
    if (!event.composedPath().includes(element)) {
      hide();
    }
  };
  const describe = () => {
    element.setAttribute("aria-valuenow", String(chosen + 1));
    element.setAttribute("aria-valuetext", describeBucket(hass, series, unit, chosen));
  };
  const show = () => {
    hide();
    describe();
    choice.bucket = series.buckets[chosen] ?? "";
    choice.isShown = true;
    const x = left + chosen * band;
    marked.setAttribute("x", String(x));
    marked.setAttribute("width", String(band));
    tip = tooltip(hass, series, unit, texts, chosen);
    const isLeft = x + band / 2 < width / 2;
    tip.style.setProperty(isLeft ? "left" : "right", `${isLeft ? x + band : width - x}px`);
    element.append(tip);
    document.addEventListener("pointerdown", hideElsewhere);
  };
  /** @type {(event: PointerEvent) => void} */
  const point = (event) => {
    const scale = width / drawing.getBoundingClientRect().width;
    const place = Math.floor((event.offsetX * scale - left) / band);
    if (event.target !== tip && place >= 0 && place < series.buckets.length) {
      chosen = place;
      show();
    }
  };
  element.addEventListener("pointermove", point);
  element.addEventListener("pointerdown", point);
  element.addEventListener("pointerleave", (event) => {
    // A finger leaves as soon as it is lifted: what it chose stays until it taps elsewhere.
    if (event.pointerType !== "touch") {
      hide();
    }
  });
  element.addEventListener("blur", hide);
  element.addEventListener("keydown", (event) => {
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
  if (isShown) {
    show();
  }
  return element;
}

/**
 * Return the ends of the axis, and the distance between its lines.
 *
 * @param {Series} series
 * @returns {{lowest: number, highest: number, step: number}}
 */
function axisOf(series) {
  /** @type {(place: number, sign: 1 | -1) => number} */
  const stack = (place, sign) =>
    series.groups.reduce((sum, { values }) => {
      const value = values[place] ?? 0;
      return Math.sign(value) === sign ? sum + value : sum;
    }, 0);
  const highest = Math.max(...series.buckets.map((_, place) => stack(place, 1)));
  const lowest = Math.min(...series.buckets.map((_, place) => stack(place, -1)));
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
 * @param {Series} series
 * @param {number} left
 * @param {number} band
 * @param {(amount: number) => number} y
 * @returns {SVGElement[]}
 */
function bars(series, left, band, y) {
  const gap = Math.min(band * 0.3, 12);
  return series.buckets.flatMap((_, place) => {
    let [above, below] = [0, 0];
    return series.groups.flatMap((group) => {
      const value = group.values[place] ?? 0;
      const from = value < 0 ? below : above;
      const to = from + value;
      [above, below] = value < 0 ? [above, to] : [to, below];
      const height = Math.abs(y(from) - y(to));
      return value === 0
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
 * @param {Hass} hass
 * @param {string[]} buckets
 * @param {number} left
 * @param {number} band
 * @returns {SVGElement[]}
 */
function dateLabels(hass, buckets, left, band) {
  const labels = buckets.map((bucket) => date(hass, bucket, "short"));
  return placesOf(labels, left, band).map(({ label, ...place }) =>
    svg("text", { y: HEIGHT - 6, ...place }, label),
  );
}

/**
 * Return where labels of the bars are, as many as have room.
 *
 * @param {string[]} labels
 * @param {number} left
 * @param {number} band
 * @returns {{label: string, x: number, "text-anchor": string}[]}
 */
export function placesOf(labels, left, band) {
  const widest = Math.max(...labels.map(widthOf));
  // A label that is wider than the last bar ends with it, and so is nearer to the one before.
  const nearer = Math.max(0, (widest - band) / 2);
  const every = Math.ceil((widest + 12 + nearer) / band);
  // Counted from the end: the last bar is the one that people look at.
  return labels.flatMap((label, place) => {
    const middle = left + (place + 0.5) * band;
    const isLabeled = (labels.length - 1 - place) % every === 0;
    if (!isLabeled || middle - widthOf(label) / 2 < 0) {
      return [];
    }
    const isLast = place === labels.length - 1 && widthOf(label) > band;
    return [
      {
        label,
        x: isLast ? left + (place + 1) * band : middle,
        "text-anchor": isLast ? "end" : "middle",
      },
    ];
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
 * @param {Series} series
 * @param {Unit} unit
 * @param {number} place
 * @returns {string}
 */
function describeBucket(hass, series, unit, place) {
  const bucket = date(hass, series.buckets[place] ?? "", "long");
  return `${bucket}: ${unit.format(hass, series.values[place] ?? 0)}`;
}

/**
 * @param {Hass} hass
 * @param {Series} series
 * @param {Unit} unit
 * @param {Texts} texts
 * @param {number} place
 * @returns {HTMLElement}
 */
function tooltip(hass, series, unit, texts, place) {
  const groups = series.groups
    .filter((group) => group.values[place])
    .sort((one, other) => (other.values[place] ?? 0) - (one.values[place] ?? 0));
  const more = groups.slice(ROWS);
  const rows = groups.slice(0, ROWS).map((group) => ({
    name: group.name ?? texts.other,
    color: group.color,
    value: group.values[place] ?? 0,
  }));
  if (more.length) {
    rows.push({
      name: texts.more.replace("{number}", String(more.length)),
      color: "transparent",
      value: more.reduce((sum, group) => sum + (group.values[place] ?? 0), 0),
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
        html("th", {}, date(hass, series.buckets[place] ?? "", "long")),
        html("td", {}, unit.format(hass, series.values[place] ?? 0)),
      ),
      ...(series.groups.some((group) => group.name !== null)
        ? rows.map(({ name, color, value }) =>
            html(
              "tr",
              {},
              html("th", {}, html("span", { class: "swatch", style: `background: ${color}` }), name),
              html("td", {}, unit.format(hass, value)),
            ),
          )
        : []),
    ),
  );
}
