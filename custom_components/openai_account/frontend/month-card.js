// @ts-check
// The current month: how much of the budget is spent, and a comparison with last month.

import { AccountCard, STYLES } from "./account-card.js";
import { sumOf } from "./accounts.js";
import { html, showMoreInfo } from "./dom.js";
import { money, percent } from "./format.js";
import { addDays, addMonths, utcToday } from "./periods.js";
import { COSTS, fetchTotals, isRecorded } from "./series.js";

/** @typedef {import("./accounts.js").Account} Account */
/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./texts.js").Texts} Texts */
/** @typedef {import("./dom.js").Child} Child */
/**
 * @typedef {object} LastMonth what the month before the current one cost, in US dollars
 * @property {number} sameDays in the days up to the current one
 * @property {number} total
 */
/**
 * @typedef {object} Bar
 * @property {string} name
 * @property {number | undefined} amount
 * @property {string} color
 * @property {string} [key] of the sensor that says more
 */

/**
 * The data are undefined while no costs are recorded.
 *
 * @extends {AccountCard<LastMonth | undefined>}
 */
export class MonthCard extends AccountCard {
  static styles = `${STYLES}
    .row { display: block; width: 100%; padding: 4px; text-align: start; }
    .line { display: flex; justify-content: space-between; align-items: baseline; gap: 12px; }
    .track { height: 8px; border-radius: 4px; overflow: hidden; margin: 2px 0 4px; }
    .track > div { height: 100%; border-radius: 4px; }
    .budget .track { height: 12px; border-radius: 6px; background: var(--divider-color); }
    .trend { margin: 4px 4px 0; }
  `;

  getCardSize() {
    return 4;
  }

  /**
   * @param {Hass} hass
   * @param {Account[]} accounts
   * @returns {Promise<LastMonth | undefined>}
   */
  async fetch(hass, accounts) {
    if (!accounts.some((account) => isRecorded(account, COSTS))) {
      return undefined;
    }
    const today = utcToday();
    const month = addMonths(today.slice(0, 7), -1);
    const days = Array.from({ length: 31 }, (_, place) => addDays(`${month}-01`, place)).filter(
      (day) => day.startsWith(month),
    );
    const costs = await fetchTotals(hass, accounts, COSTS.totals, days);
    /** @type {(length: number) => number} */
    const sum = (length) => costs.slice(0, length).reduce((total, one) => total + one, 0);
    return { sameDays: sum(Number(today.slice(8))), total: sum(31) };
  }

  /**
   * @param {import("./account-card.js").Context<LastMonth | undefined>} context
   * @returns {(Node | undefined)[]}
   */
  render({ hass, accounts, texts, data }) {
    const spent = sumOfAll(hass, accounts, "cost_this_month");
    /** @type {Bar[]} */
    const bars = [
      {
        name: texts.thisMonth,
        amount: spent,
        color: "var(--primary-color)",
        key: "cost_this_month",
      },
      { name: texts.sameDays, amount: data?.sameDays, color: "var(--disabled-color)" },
      {
        name: texts.forecast,
        amount: sumOfAll(hass, accounts, "forecast_this_month"),
        color: "var(--primary-color)",
        key: "forecast_this_month",
      },
      { name: texts.lastMonth, amount: data?.total, color: "var(--disabled-color)" },
    ];
    const longest = Math.max(...bars.map(({ amount }) => amount ?? 0));
    return [
      this.#budget(hass, accounts, spent, texts),
      ...bars.map((bar) => this.#row(hass, accounts, bar, longest)),
      trend(hass, spent, data?.sameDays, texts),
    ];
  }

  /**
   * Return how much of the budget is spent; of several accounts, if each has one.
   *
   * @param {Hass} hass
   * @param {Account[]} accounts
   * @param {number | undefined} spent
   * @param {Texts} texts
   * @returns {HTMLElement | undefined}
   */
  #budget(hass, accounts, spent, texts) {
    const budgets = accounts.map(({ listed }) => listed.monthly_budget ?? 0);
    const budget = budgets.includes(0) ? 0 : budgets.reduce((sum, one) => sum + one, 0);
    if (!budget || spent === undefined) {
      return undefined;
    }
    const share = spent / budget;
    const level = share > 1 ? "error" : share > 0.8 ? "warning" : "success";
    return this.#button(
      accounts,
      "budget_used",
      "row budget",
      html(
        "span",
        { class: "line" },
        html("span", {}, texts.budget),
        html("span", { class: "secondary" }, percent(hass, share)),
      ),
      track(share, `var(--${level}-color)`),
      html(
        "span",
        { class: "secondary" },
        texts.ofBudget
          .replace("{amount}", money(hass, spent))
          .replace("{budget}", money(hass, budget)),
      ),
    );
  }

  /**
   * @param {Hass} hass
   * @param {Account[]} accounts
   * @param {Bar} bar
   * @param {number} longest
   * @returns {HTMLElement | undefined}
   */
  #row(hass, accounts, { name, amount, color, key }, longest) {
    if (amount === undefined) {
      return undefined;
    }
    return this.#button(
      accounts,
      key,
      "row",
      html(
        "span",
        { class: "line" },
        html("span", {}, name),
        html("span", { class: "amount" }, money(hass, amount)),
      ),
      track(longest > 0 ? amount / longest : 0, color),
    );
  }

  /**
   * Return a button that shows more of a sensor; of several accounts' sensors there is no more.
   *
   * @param {Account[]} accounts
   * @param {string | undefined} key
   * @param {string} kind
   * @param {...Child} children
   * @returns {HTMLElement}
   */
  #button(accounts, key, kind, ...children) {
    const entity = accounts.length === 1 && key ? accounts[0]?.find(key) : undefined;
    if (!entity) {
      return html("div", { class: kind }, ...children);
    }
    const button = html("button", { id: key, class: kind }, ...children);
    button.addEventListener("click", () => showMoreInfo(this, entity));
    return button;
  }
}

/**
 * Return the sum of a sensor over all accounts that have costs.
 *
 * @param {Hass} hass
 * @param {Account[]} accounts
 * @param {string} key
 * @returns {number | undefined} undefined if it is not known of one of them
 */
export function sumOfAll(hass, accounts, key) {
  const having = accounts.filter((account) => account.find(key) || isRecorded(account, COSTS));
  const sum = sumOf(having.map((account) => account.value(key, hass)));
  // A part of the accounts cannot be compared with last month.
  return sum?.accounts === having.length ? sum.amount : undefined;
}

/**
 * @param {number} share
 * @param {string} color
 * @returns {HTMLElement}
 */
function track(share, color) {
  const width = Math.min(Math.max(share, 0), 1) * 100;
  return html(
    "div",
    { class: "track" },
    html("div", { style: `width: ${width}%; background: ${color}` }),
  );
}

/**
 * @param {Hass} hass
 * @param {number | undefined} spent
 * @param {number | undefined} before
 * @param {Texts} texts
 * @returns {HTMLElement | undefined}
 */
function trend(hass, spent, before, texts) {
  if (spent === undefined || !before || before < 0) {
    return undefined;
  }
  const change = spent / before - 1;
  const text = change < 0 ? texts.lessThanLastMonth : texts.moreThanLastMonth;
  return html(
    "p",
    { class: "trend secondary" },
    text.replace("{share}", percent(hass, Math.abs(change))),
  );
}
