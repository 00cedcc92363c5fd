// @ts-check
// The sums over all accounts.

import { AccountCard, STYLES } from "./account-card.js";
import { sumOf } from "./accounts.js";
import { html } from "./dom.js";
import { money } from "./format.js";

/** @extends {AccountCard<undefined>} */
export class TotalsCard extends AccountCard {
  static styles = `${STYLES}
    dl { margin: 0; display: grid; gap: 16px;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 120px), 1fr)); }
    dt, .of { font-size: var(--ha-font-size-s, 12px); }
    dd { margin: 0; }
    dd .amount { font-size: var(--ha-font-size-2xl, 24px); }
  `;

  getCardSize() {
    return 2;
  }

  async fetch() {
    return undefined;
  }

  /**
   * @param {import("./account-card.js").Context<undefined>} context
   * @returns {Node[]}
   */
  render({ hass, accounts, texts }) {
    /** @type {(key: string) => (number | undefined)[]} */
    const values = (key) => accounts.map((account) => account.value(key, hass));
    const lines = [
      { name: texts.credit, values: accounts.map((account) => account.credit(hass)) },
      { name: texts.today, values: values("cost_today") },
      { name: texts.thisMonth, values: values("cost_this_month") },
      { name: texts.forecast, values: values("forecast_this_month") },
    ];
    const sums = lines.flatMap(({ name, values }) => {
      const sum = sumOf(values);
      const isPart = sum && sum.accounts < accounts.length;
      return sum
        ? [
            html(
              "div",
              {},
              html("dt", { class: "secondary" }, name),
              html("dd", {}, html("span", { class: "amount" }, money(hass, sum.amount))),
              isPart
                ? html(
                    "dd",
                    { class: "of secondary" },
                    texts.ofAccounts
                      .replace("{number}", String(sum.accounts))
                      .replace("{all}", String(accounts.length)),
                  )
                : undefined,
            ),
          ]
        : [];
    });
    return sums.length ? [html("dl", {}, ...sums)] : [];
  }
}
