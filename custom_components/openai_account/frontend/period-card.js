// @ts-check
// What is recorded in a period as a chart, and what it is made up of.

import { AccountCard, STYLES } from "./account-card.js";
import { CHART_STYLES, chart } from "./chart.js";
import { html, showMoreInfo } from "./dom.js";
import { dateRange, percent } from "./format.js";
import { PERIODS, bucketsOf, utcToday } from "./periods.js";
import { fetchSeries, groupingsOf, isRecorded } from "./series.js";

/** @typedef {import("./accounts.js").Account} Account */
/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./series.js").Series} Series */
/** @typedef {import("./series.js").Grouping} Grouping */
/** @typedef {import("./series.js").Group} Group */
/** @typedef {import("./texts.js").Texts} Texts */
/**
 * @typedef {object} Words
 * @property {string} chart what the chart shows, for those who cannot see it
 * @property {string} total `{amount}`, of the whole period
 * @property {string} none there was nothing in the period
 * @property {string} missing nothing is recorded yet
 */

/** @type {import("./series.js").Measure["sensors"]} */
const NONE = { model: undefined, project: undefined, api_key: undefined };

/** How many rows the list has before it is unfolded. */
const ROWS = 8;

/**
 * The data are those of the chosen period, undefined while nothing is recorded.
 *
 * @template {Series} Data
 * @extends {AccountCard<Data | undefined>}
 */
export class PeriodCard extends AccountCard {
  static styles = `${STYLES}${CHART_STYLES}
    .bar { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center;
      justify-content: space-between; margin-bottom: 12px; }
    .choice { display: flex; flex-wrap: wrap; gap: 4px; }
    .choice button { padding: 6px 12px; min-height: 36px; white-space: nowrap; }
    .choice button[aria-pressed="true"] { box-shadow: inset 0 0 0 1px var(--primary-color);
      background: color-mix(in srgb, var(--primary-color) 20%, transparent); }
    .pager { display: flex; align-items: center; gap: 4px; }
    .pager button { width: 36px; height: 36px; padding: 0; font-size: 20px; line-height: 1; }
    .summary { display: flex; flex-wrap: wrap; gap: 0 16px; align-items: baseline;
      margin-bottom: 8px; }
    .summary .amount { font-size: var(--ha-font-size-2xl, 24px); }
    ul { list-style: none; margin: 12px 0 0; padding: 0; display: grid; gap: 0 24px;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 280px), 1fr)); }
    li > * { display: flex; width: 100%; min-height: 36px; padding: 4px;
      align-items: center; text-align: start; }
    li button:hover { background: var(--secondary-background-color); }
    li .name { flex: 1; min-width: 0; margin-inline-end: 12px; }
    li .share { min-width: 3.5em; text-align: end; }
    .unfold { padding: 6px 12px; min-height: 36px; text-decoration: underline; }
  `;

  /** @type {import("./series.js").Measure} */
  measure = { totals: [], named: "", sensor: "", sensors: NONE };
  /** @type {import("./chart.js").Unit} */
  unit = { format: () => "", axis: () => "" };

  /** @type {import("./periods.js").Period} */
  #period = "30d";
  #back = 0;
  /** @type {Grouping | undefined} */
  #grouping;
  #isUnfolded = false;
  /** @type {import("./chart.js").Choice} */
  #choice = {};
  /** @type {import("./account-card.js").Context<Data | undefined> | undefined} */
  #context;
  /** The width that the chart was drawn for. */
  #width = 0;
  #resizes = new ResizeObserver(() => this.#redraw());

  connectedCallback() {
    super.connectedCallback();
    this.#resizes.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#resizes.disconnect();
  }

  getCardSize() {
    return 8;
  }

  /** @returns {{columns: "full"}} */
  getGridOptions() {
    return { columns: "full" };
  }

  /**
   * Return the texts that are about what is recorded.
   *
   * @param {Texts} _texts
   * @returns {Words}
   */
  wordsIn(_texts) {
    return { chart: "", total: "{amount}", none: "", missing: "" };
  }

  /**
   * Return what else there is to say about a period, below its total.
   *
   * @param {Hass} _hass
   * @param {Data} _data
   * @param {Texts} _texts
   * @returns {string[]}
   */
  remarks(_hass, _data, _texts) {
    return [];
  }

  /**
   * @param {Hass} hass
   * @param {Account[]} accounts
   * @returns {Promise<Data | undefined>}
   */
  async fetch(hass, accounts) {
    if (!accounts.some((account) => isRecorded(account, this.measure))) {
      return undefined;
    }
    const groupings = groupingsOf(accounts, this.measure);
    if (!this.#grouping || !groupings.includes(this.#grouping)) {
      this.#grouping = groupings[0];
    }
    const buckets = bucketsOf(this.#period, this.#back, utcToday());
    const series = await fetchSeries(hass, accounts, this.measure, this.#grouping, buckets);
    return this.complete(hass, accounts, series);
  }

  /**
   * Add to what was fetched what else the card shows.
   *
   * @param {Hass} _hass
   * @param {Account[]} _accounts
   * @param {Series} series
   * @returns {Promise<Data>}
   */
  async complete(_hass, _accounts, series) {
    return /** @type {Data} */ (series);
  }

  /** @param {import("./account-card.js").Context<Data | undefined>} context */
  draw(context) {
    this.#context = context;
    this.#width = 0;
    this.#redraw();
  }

  /** Draw the card if it has another width, or none yet. */
  #redraw() {
    // Less the card's padding and border
    const width = this.clientWidth - 34;
    if (this.#context && width > 0 && width !== this.#width) {
      this.#width = width;
      super.draw(this.#context);
    }
  }

  /**
   * @param {import("./account-card.js").Context<Data | undefined>} context
   * @returns {Node[]}
   */
  render({ hass, accounts, texts, data }) {
    const words = this.wordsIn(texts);
    if (!data) {
      return [html("div", { class: "secondary" }, words.missing)];
    }
    const [first = "", last = ""] = [data.buckets[0], data.buckets.at(-1)];
    const groupings = groupingsOf(accounts, this.measure);
    const average = first.length === "2026-11".length ? texts.perMonth : texts.perDay;
    return [
      html(
        "div",
        { class: "bar" },
        this.#choices(texts.period, PERIODS, this.#period, texts.periods, (period) => {
          this.#period = period;
          this.#back = 0;
        }),
        html(
          "div",
          { class: "pager" },
          this.#pager("earlier", "‹", texts.earlier, 1),
          html("span", { "aria-live": "polite" }, dateRange(hass, first, last)),
          this.#pager("later", "›", texts.later, -1, this.#back === 0),
        ),
      ),
      ...(groupings.length > 1
        ? [
            html(
              "div",
              { class: "bar" },
              this.#choices(texts.groupBy, groupings, this.#grouping, texts.groupings, (chosen) => {
                this.#grouping = chosen;
              }),
            ),
          ]
        : []),
      html(
        "div",
        { class: "summary" },
        html(
          "span",
          { class: "amount" },
          words.total.replace("{amount}", this.unit.format(hass, data.total)),
        ),
        html(
          "span",
          { class: "secondary" },
          average.replace("{amount}", this.unit.format(hass, data.total / data.buckets.length)),
        ),
        ...this.remarks(hass, data, texts).map((text) =>
          html("span", { class: "secondary" }, text),
        ),
      ),
      data.groups.length
        ? chart(hass, data, this.unit, texts, words.chart, this.#width, this.#choice)
        : html("p", { class: "secondary" }, words.none),
      ...this.#list(hass, data, texts),
    ];
  }

  /**
   * Return the groups with their values and shares; none if they are not grouped.
   *
   * @param {Hass} hass
   * @param {Series} series
   * @param {Texts} texts
   * @returns {Node[]}
   */
  #list(hass, series, texts) {
    if (!series.groups.some((group) => group.name !== null)) {
      return [];
    }
    const shown = this.#isUnfolded ? series.groups : series.groups.slice(0, ROWS);
    const hidden = series.groups.length - shown.length;
    const list = html(
      "ul",
      {},
      ...shown.map((group) => html("li", {}, this.#row(hass, group, series.total, texts.other))),
    );
    if (!hidden) {
      return [list];
    }
    const unfold = html(
      "button",
      { class: "unfold", id: "unfold" },
      texts.more.replace("{number}", String(hidden)),
    );
    unfold.addEventListener("click", () => {
      this.#isUnfolded = true;
      this.#width = 0;
      this.#redraw();
      this.shadowRoot?.querySelectorAll("li")[ROWS]?.querySelector("button")?.focus();
    });
    return [list, unfold];
  }

  /**
   * @param {Hass} hass
   * @param {Group} group
   * @param {number} total
   * @param {string} other
   * @returns {HTMLElement}
   */
  #row(hass, { name, color, total: value, entity }, total, other) {
    const cells = [
      html("span", { class: "swatch", style: `background: ${color}` }),
      html("span", { class: "name" }, name ?? other),
      html("span", { class: "amount" }, this.unit.format(hass, value)),
      html("span", { class: "share secondary" }, total > 0 ? percent(hass, value / total) : ""),
    ];
    if (!entity) {
      return html("div", {}, ...cells);
    }
    const button = html("button", { id: entity }, ...cells);
    button.addEventListener("click", () => showMoreInfo(this, entity));
    return button;
  }

  /**
   * Return buttons, one of which is chosen.
   *
   * @template {string} Value
   * @param {string} label
   * @param {Value[]} values
   * @param {Value | undefined} chosen
   * @param {Record<Value, string>} names
   * @param {(value: Value) => void} choose
   * @returns {HTMLElement}
   */
  #choices(label, values, chosen, names, choose) {
    return html(
      "div",
      { class: "choice", role: "group", "aria-label": label },
      ...values.map((value) => {
        const button = this.#button(value, names[value], () => choose(value));
        button.setAttribute("aria-pressed", String(value === chosen));
        return button;
      }),
    );
  }

  /**
   * Return a button that goes back in time, or forward.
   *
   * @param {string} id
   * @param {string} text
   * @param {string} label
   * @param {1 | -1} step
   * @param {boolean} [disabled]
   * @returns {HTMLElement}
   */
  #pager(id, text, label, step, disabled = false) {
    const button = this.#button(id, text, () => {
      this.#back += step;
    });
    button.setAttribute("aria-label", label);
    button.title = label;
    button.disabled = disabled;
    return button;
  }

  /**
   * Return a button after which the data are fetched again.
   *
   * @param {string} id
   * @param {string} text
   * @param {() => void} press
   * @returns {HTMLButtonElement}
   */
  #button(id, text, press) {
    const button = html("button", { id }, text);
    button.addEventListener("click", () => {
      press();
      this.refresh();
    });
    return button;
  }
}
