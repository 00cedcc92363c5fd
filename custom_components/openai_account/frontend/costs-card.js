// @ts-check
// The costs of a period.

import { axisMoney, money } from "./format.js";
import { PeriodCard } from "./period-card.js";
import { COSTS } from "./series.js";

/** @extends {PeriodCard<import("./series.js").Series>} */
export class CostsCard extends PeriodCard {
  measure = COSTS;
  unit = { format: money, axis: axisMoney };

  /**
   * @param {import("./texts.js").Texts} texts
   * @returns {import("./period-card.js").Words}
   */
  wordsIn({ chart, noCosts, noHistory }) {
    return { chart, total: "{amount}", none: noCosts, missing: noHistory };
  }
}
