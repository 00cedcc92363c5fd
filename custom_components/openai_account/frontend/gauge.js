// @ts-check
// The gauge of the credit: how long its scale is, and where its colors change.

/** @typedef {import("./accounts.js").Account} Account */
/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {{from: number, color: string}} Segment */

/**
 * Return the scale of the credit's gauge: it is full with credit for a month at the current pace,
 * or with all credit if that is more. It is red up to the threshold of low credit, and yellow up
 * to a week's costs. Rounded up, it seldom changes.
 *
 * @param {Account} account
 * @param {Hass} [hass]
 * @returns {{max: number, segments: Segment[]} | undefined} undefined without a scale
 */
export function gaugeScale(account, hass = account.hass) {
  const available = account.credit(hass) ?? 0;
  const week = roundUp(account.value("cost_last_7_days", hass) ?? 0);
  const threshold = account.listed.low_balance_threshold ?? 0;
  const max = roundUp(Math.max(available, (week * 30) / 7, 2 * threshold));
  if (max <= 0) {
    return undefined;
  }
  const levels = [
    { from: 0, color: "var(--error-color)", to: threshold },
    { from: threshold, color: "var(--warning-color)", to: week },
    { from: Math.max(threshold, week), color: "var(--success-color)", to: max },
  ];
  const segments = levels.filter(({ from, to }) => from < to);
  return { max, segments: segments.map(({ from, color }) => ({ from, color })) };
}

/**
 * Return the next number with one digit that is not zero, or 0 for none.
 *
 * @param {number} number
 * @returns {number}
 */
function roundUp(number) {
  if (number <= 0) {
    return 0;
  }
  const power = 10 ** Math.floor(Math.log10(number));
  return Math.ceil(number / power) * power;
}
