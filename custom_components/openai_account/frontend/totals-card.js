// @ts-check
// The sums over all accounts.

import { AccountCard, STYLES } from "./account-card.js";
import { sumOf } from "./accounts.js";
import { custom, html } from "./dom.js";
import { money } from "./format.js";

/** @extends {AccountCard<undefined>} */
export class TotalsCard extends AccountCard {
  static styles = `${STYLES}
    .content, ha-card { height: auto; }
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
    /** @type {[string, string][]} */
    const lines = [
      ["total_available", texts.credit],
      ["cost_today", texts.today],
      ["cost_this_month", texts.thisMonth],
      ["forecast_this_month", texts.forecast],
    ];
    const sums = lines.flatMap(([key, name]) => {
      const sum = sumOf(hass, accounts, key);
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
    return sums.length ? [custom("ha-card", {}, html("dl", {}, ...sums))] : [];
  }
}
