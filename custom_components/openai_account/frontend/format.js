// @ts-check
// Amounts, shares and dates in the user's format.

/** @typedef {import("./accounts.js").Hass} Hass */

/**
 * A locale that uses each of Home Assistant's number formats.
 *
 * @type {Record<string, string | undefined>}
 */
const LOCALES = {
  comma_decimal: "en-US",
  decimal_comma: "de",
  space_comma: "fr",
  quote_decimal: "de-CH",
  system: undefined,
  none: "en-US",
};

/** How many decimals any browser can format. */
const MOST_DIGITS = 20;

/**
 * Return a format for numbers.
 *
 * @param {Hass} hass
 * @param {Intl.NumberFormatOptions} options
 * @returns {Intl.NumberFormat}
 */
function numberFormat(hass, options) {
  const format = hass.locale.number_format ?? "language";
  const locale = format in LOCALES ? LOCALES[format] : hass.locale.language;
  return new Intl.NumberFormat(locale, { ...options, useGrouping: format !== "none" });
}

/**
 * Return an amount of US dollars, with four decimals below a tenth of a cent.
 *
 * @param {Hass} hass
 * @param {number} amount
 * @returns {string}
 */
export function money(hass, amount) {
  const isTiny = amount !== 0 && Math.abs(amount) < 0.001;
  const digits = isTiny ? 4 : 2;
  return numberFormat(hass, {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(amount);
}

/**
 * Return an amount at an axis of a chart, with as many decimals as the distance between two needs.
 *
 * @param {Hass} hass
 * @param {number} amount
 * @param {number} step
 * @returns {string}
 */
export function axisMoney(hass, amount, step) {
  let digits = Number.isInteger(step) ? 0 : 2;
  while (digits < MOST_DIGITS && !isWhole(step * 10 ** digits)) {
    digits += 1;
  }
  return numberFormat(hass, {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(amount);
}

/**
 * Return whether a number is whole, but for the error of calculating it.
 *
 * @param {number} number
 * @returns {boolean}
 */
function isWhole(number) {
  return Math.abs(number - Math.round(number)) < 1e-6 && Math.round(number) !== 0;
}

/**
 * Return a number of things, such as tokens.
 *
 * @param {Hass} hass
 * @param {number} number
 * @returns {string}
 */
export function count(hass, number) {
  return numberFormat(hass, { maximumFractionDigits: 0 }).format(number);
}

/**
 * Return a number of things at an axis of a chart, in short: 1.5M.
 *
 * @param {Hass} hass
 * @param {number} number
 * @returns {string}
 */
export function axisCount(hass, number) {
  const decimal = numberFormat(hass, {})
    .formatToParts(0.5)
    .find(({ type }) => type === "decimal");
  // The words are of the user's language, which need not be that of the number format.
  return new Intl.NumberFormat(hass.locale.language, { notation: "compact" })
    .formatToParts(number)
    .map(({ type, value }) => (type === "decimal" ? (decimal?.value ?? value) : value))
    .join("");
}

/**
 * Return a share, such as 0.5, in percent.
 *
 * @param {Hass} hass
 * @param {number} share
 * @returns {string}
 */
export function percent(hass, share) {
  return numberFormat(hass, { style: "percent", maximumFractionDigits: 0 }).format(share);
}

/**
 * Return a day (`2026-11-24`) or a month (`2026-11`).
 *
 * @param {Hass} hass
 * @param {string} bucket
 * @param {"short" | "long"} length
 * @returns {string}
 */
export function date(hass, bucket, length) {
  return dateFormat(hass, bucket, length).format(new Date(bucket));
}

/**
 * Return a range of days or months.
 *
 * @param {Hass} hass
 * @param {string} first
 * @param {string} last
 * @returns {string}
 */
export function dateRange(hass, first, last) {
  return dateFormat(hass, first, "long").formatRange(new Date(first), new Date(last));
}

/**
 * @param {Hass} hass
 * @param {string} bucket
 * @param {"short" | "long"} length
 * @returns {Intl.DateTimeFormat}
 */
function dateFormat(hass, bucket, length) {
  const isMonth = bucket.length === "2026-11".length;
  return new Intl.DateTimeFormat(hass.locale.language, {
    timeZone: "UTC",
    month: length === "long" && isMonth ? "long" : "short",
    ...(isMonth ? {} : { day: "numeric" }),
    ...(length === "long" ? { year: "numeric" } : {}),
  });
}

/**
 * Return how long ago something was, such as '3 minutes ago'.
 *
 * @param {Hass} hass
 * @param {number} milliseconds
 * @returns {string}
 */
export function ago(hass, milliseconds) {
  const format = new Intl.RelativeTimeFormat(hass.locale.language, { numeric: "auto" });
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 1) {
    return format.format(0, "second");
  }
  if (minutes < 60) {
    return format.format(-minutes, "minute");
  }
  const hours = Math.round(minutes / 60);
  return hours < 48 ? format.format(-hours, "hour") : format.format(-Math.round(hours / 24), "day");
}
