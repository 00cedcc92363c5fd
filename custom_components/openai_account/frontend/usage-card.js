// @ts-check
// What an account has used besides money: a list whose names have as many lines as they need.

import { AccountCard, STYLES } from "./account-card.js";
import { html, showMoreInfo } from "./dom.js";

const TOKENS_AND_REQUESTS = ["requests", "input_tokens", "cached_input_tokens", "output_tokens"];
const OTHERS = [
  "images",
  "speech_characters",
  "transcription_seconds",
  "web_searches",
  "file_searches",
  "code_interpreter_sessions",
];

/** What the list shows; of what is used seldom, the month alone. */
export const USAGE_KEYS = [
  ...TOKENS_AND_REQUESTS.map((key) => `${key}_today`),
  ...[...TOKENS_AND_REQUESTS, ...OTHERS].map((key) => `${key}_this_month`),
  "vector_store_bytes",
];

/** What there is no room for. */
export const LEFT_OUT = OTHERS.map((key) => `${key}_today`);

/** @extends {AccountCard<undefined>} */
export class UsageCard extends AccountCard {
  static styles = `${STYLES}
    .list { display: grid; gap: 0 24px;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 280px), 1fr)); }
    button { display: flex; gap: 12px; width: 100%; min-height: 36px; padding: 4px;
      align-items: center; text-align: start; }
    button:hover { background: var(--secondary-background-color); }
    .name { flex: 1; min-width: 0; }
  `;

  async fetch() {
    return undefined;
  }

  /** @returns {{columns: "full"}} */
  getGridOptions() {
    return { columns: "full" };
  }

  /**
   * @param {import("./account-card.js").Context<undefined>} context
   * @returns {Node[]}
   */
  render({ hass, accounts }) {
    const rows = accounts.flatMap((account) =>
      USAGE_KEYS.flatMap((key) => {
        const entity = account.find(key);
        const state = hass.states[entity ?? ""];
        if (!entity || !state) {
          return [];
        }
        const button = html(
          "button",
          { id: key },
          html("span", { class: "name" }, account.name(entity)),
          html("span", { class: "amount" }, hass.formatEntityState?.(state) ?? state.state),
        );
        button.addEventListener("click", () => showMoreInfo(this, entity));
        return [button];
      }),
    );
    return rows.length ? [html("div", { class: "list" }, ...rows)] : [];
  }
}
