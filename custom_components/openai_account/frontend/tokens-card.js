// @ts-check
// The tokens of a period.

import { axisCount, count, percent } from "./format.js";
import { PeriodCard } from "./period-card.js";
import { TOKENS, fetchTotals } from "./series.js";

/** @typedef {import("./accounts.js").Account} Account */
/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./series.js").Series} Series */
/** @typedef {Series & {input: number, cached: number, requests: number}} Tokens */

/** @extends {PeriodCard<Tokens>} */
export class TokensCard extends PeriodCard {
  measure = TOKENS;
  unit = { format: count, axis: axisCount };

  /**
   * @param {import("./texts.js").Texts} texts
   * @returns {import("./period-card.js").Words}
   */
  wordsIn({ tokensChart, tokens, noTokens }) {
    return { chart: tokensChart, total: tokens, none: noTokens, missing: noTokens };
  }

  /**
   * @param {Hass} hass
   * @param {Account[]} accounts
   * @param {Series} series
   * @returns {Promise<Tokens>}
   */
  async complete(hass, accounts, series) {
    const [input = 0, cached = 0, requests = 0] = await Promise.all(
      ["input_tokens", "cached_input_tokens", "requests"].map(async (measure) => {
        const values = await fetchTotals(hass, accounts, [measure], series.buckets);
        return values.reduce((sum, one) => sum + one, 0);
      }),
    );
    return { ...series, input, cached, requests };
  }

  /**
   * @param {Hass} hass
   * @param {Tokens} tokens
   * @param {import("./texts.js").Texts} texts
   * @returns {string[]}
   */
  remarks(hass, { input, cached, requests }, texts) {
    return [
      ...(requests ? [texts.requests.replace("{number}", count(hass, requests))] : []),
      ...(input ? [texts.cachedShare.replace("{share}", percent(hass, cached / input))] : []),
    ];
  }
}
