// @ts-check
// Periods of days and months. OpenAI counts costs by UTC days; a day is `2026-11-24`, a month
// `2026-11`.

/** @typedef {"7d" | "30d" | "90d" | "12m"} Period */

/** @type {Period[]} */
export const PERIODS = ["7d", "30d", "90d", "12m"];

/** @type {Record<Period, number>} */
const LENGTHS = { "7d": 7, "30d": 30, "90d": 90, "12m": 12 };

const DAY = 24 * 3600 * 1000;

/**
 * Return the current UTC day.
 *
 * @param {number} [now]
 * @returns {string}
 */
export function utcToday(now = Date.now()) {
  return new Date(now).toISOString().slice(0, 10);
}

/**
 * Return the day that is a number of days later.
 *
 * @param {string} day
 * @param {number} number
 * @returns {string}
 */
export function addDays(day, number) {
  return utcToday(Date.parse(day) + number * DAY);
}

/**
 * Return the month that is a number of months later.
 *
 * @param {string} month
 * @param {number} number
 * @returns {string}
 */
export function addMonths(month, number) {
  const date = new Date(month);
  date.setUTCMonth(date.getUTCMonth() + number);
  return date.toISOString().slice(0, 7);
}

/**
 * Return the days, or months, of a period.
 *
 * @param {Period} period
 * @param {number} back how many such periods it lies back; 0 for the one that ends today
 * @param {string} today
 * @returns {string[]}
 */
export function bucketsOf(period, back, today) {
  const length = LENGTHS[period];
  const isMonths = period === "12m";
  const last = isMonths ? today.slice(0, 7) : today;
  const add = isMonths ? addMonths : addDays;
  return Array.from({ length }, (_, place) => add(last, place + 1 - length * (back + 1)));
}

/**
 * Return a function for the date of a point in time in a time zone.
 *
 * @param {string} timeZone
 * @returns {(time: number) => string}
 */
export function dateIn(timeZone) {
  const format = new Intl.DateTimeFormat("en", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  return (time) => {
    const parts = Object.fromEntries(
      format.formatToParts(time).map(({ type, value }) => [type, value]),
    );
    return `${parts.year}-${parts.month}-${parts.day}`;
  };
}
