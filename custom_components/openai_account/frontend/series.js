// @ts-check
// What is recorded of accounts, by day or month: their costs, and their tokens.

import { colorAt, namesOf } from "./accounts.js";
import { addDays, addMonths, dateIn } from "./periods.js";

/** @typedef {import("./accounts.js").Account} Account */
/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./accounts.js").Kind} Kind */
/** @typedef {Kind | "account"} Grouping */
/**
 * @typedef {object} Measure something that is recorded
 * @property {string[]} totals the statistics of an account, which are added up
 * @property {string} named the statistics of its models, projects and API keys
 * @property {string} sensor the sensor of an account
 * @property {Record<Kind, string | undefined>} sensors those of its models, projects and API keys
 */
/**
 * @typedef {object} Group what belongs to a model, a project, an API key or an account
 * @property {string | null} name null for what belongs to none of the groups
 * @property {string} color
 * @property {number[]} values by day or month
 * @property {number} total
 * @property {string | undefined} entity the sensor that says more
 */
/**
 * @typedef {object} Series
 * @property {string[]} buckets the days or months
 * @property {Group[]} groups the largest first
 * @property {number[]} values of all groups, by day or month
 * @property {number} total
 */

/** @type {Measure} US dollars */
export const COSTS = {
  totals: ["cost"],
  named: "cost",
  sensor: "cost_this_month",
  sensors: { model: "model_cost", project: "project_cost", api_key: "key_cost" },
};

/** @type {Measure} */
export const TOKENS = {
  totals: ["input_tokens", "output_tokens"],
  named: "tokens",
  sensor: "input_tokens_this_month",
  sensors: { model: "model_tokens", project: undefined, api_key: undefined },
};

/** @type {Kind[]} */
const KINDS = ["model", "project", "api_key"];

/** Less than this is the noise of adding up. */
const NOISE = 0.000_05;

/**
 * Return those statistics of an account that belong to it as a whole, or to what is of a kind.
 *
 * @param {Account} account
 * @param {Kind | null} kind
 * @param {string[]} measures
 * @returns {import("./accounts.js").ListedStatistic[]}
 */
function statisticsOf({ listed }, kind, measures) {
  return (listed.statistics ?? []).filter(
    (one) => one.kind === kind && measures.includes(one.measure),
  );
}

/**
 * Return whether something is recorded of an account.
 *
 * @param {Account} account
 * @param {Measure} measure
 * @returns {boolean}
 */
export function isRecorded(account, { totals }) {
  return statisticsOf(account, null, totals).length > 0;
}

/**
 * Return by what the accounts' costs, or tokens, can be grouped.
 *
 * @param {Account[]} accounts
 * @param {Measure} measure
 * @returns {Grouping[]}
 */
export function groupingsOf(accounts, { named }) {
  const kinds = KINDS.filter((kind) =>
    accounts.some((account) => statisticsOf(account, kind, [named]).length),
  );
  return accounts.length > 1 ? ["account", ...kinds] : kinds;
}

/**
 * Return what is recorded of accounts.
 *
 * @param {Hass} hass
 * @param {Account[]} accounts
 * @param {Measure} measure
 * @param {Grouping | undefined} grouping
 * @param {string[]} buckets
 * @returns {Promise<Series>}
 */
export async function fetchSeries(hass, accounts, measure, grouping, buckets) {
  const kind = grouping === "account" || grouping === undefined ? undefined : grouping;
  /** @type {(account: Account) => import("./accounts.js").ListedStatistic[]} */
  const named = (account) => (kind ? statisticsOf(account, kind, [measure.named]) : []);
  const recorded = await fetchStatistics(
    hass,
    accounts
      .flatMap((account) => [...statisticsOf(account, null, measure.totals), ...named(account)])
      .map((one) => one.statistic_id),
    buckets,
  );
  /** @type {(statistics: import("./accounts.js").ListedStatistic[]) => number[]} */
  const sumOf = (statistics) =>
    add(
      buckets,
      statistics.map((one) => recorded.get(one.statistic_id) ?? []),
    );
  const totals = accounts.map((account) => sumOf(statisticsOf(account, null, measure.totals)));
  const all = add(buckets, totals);
  const groups = kind
    ? namesOf(accounts, kind).map((name, place) =>
        group(
          name,
          colorAt(place),
          sumOf(accounts.flatMap((account) => named(account).filter((one) => one.name === name))),
          sensorOf(accounts, measure, kind, name),
        ),
      )
    : grouping === "account"
      ? accounts.map((account, place) =>
          group(account.title, colorAt(place), totals[place] ?? [], account.find(measure.sensor)),
        )
      : [];
  const grouped = add(
    buckets,
    groups.map((one) => one.values),
  );
  const rest = all.map((value, place) => round(value - (grouped[place] ?? 0)));
  return {
    buckets,
    groups: [...groups, group(null, "var(--disabled-color)", rest, undefined)]
      .filter(({ values }) => values.some((value) => value !== 0))
      .sort((one, other) => Number(!one.name) - Number(!other.name) || other.total - one.total),
    values: all,
    total: sum(all),
  };
}

/**
 * Return the sensor of what is called by a name; of several accounts none shows the sum.
 *
 * @param {Account[]} accounts
 * @param {Measure} measure
 * @param {Kind} kind
 * @param {string} name
 * @returns {string | undefined}
 */
function sensorOf(accounts, { named, sensors }, kind, name) {
  const found = accounts.flatMap((account) => {
    const isNamed = statisticsOf(account, kind, [named]).some((one) => one.name === name);
    const sensor = account.entities.find((one) => one.key === sensors[kind] && one.name === name);
    return isNamed || sensor ? [sensor?.entity_id] : [];
  });
  return found.length === 1 ? found[0] : undefined;
}

/**
 * Return the sums of the accounts' statistics by bucket, not grouped.
 *
 * @param {Hass} hass
 * @param {Account[]} accounts
 * @param {string[]} measures
 * @param {string[]} buckets
 * @returns {Promise<number[]>}
 */
export async function fetchTotals(hass, accounts, measures, buckets) {
  const ids = accounts
    .flatMap((account) => statisticsOf(account, null, measures))
    .map((one) => one.statistic_id);
  return add(buckets, [...(await fetchStatistics(hass, ids, buckets)).values()]);
}

/**
 * @param {string | null} name
 * @param {string} color
 * @param {number[]} values
 * @param {string | undefined} entity
 * @returns {Group}
 */
function group(name, color, values, entity) {
  return { name, color, values, total: sum(values), entity };
}

/**
 * Return the values in each bucket, by statistic.
 *
 * @param {Hass} hass
 * @param {string[]} ids
 * @param {string[]} buckets
 * @returns {Promise<Map<string, number[]>>}
 */
async function fetchStatistics(hass, ids, buckets) {
  const [first = "", last = ""] = [buckets[0], buckets.at(-1)];
  if (!ids.length) {
    return new Map();
  }
  const isMonths = first.length === "2026-11".length;
  const end = isMonths ? `${addMonths(last, 1)}-01` : addDays(last, 1);
  // A day begins at different times in different zones: one more on each side holds them all.
  /** @type {Record<string, {start: number, change?: number | null}[]>} */
  const rows = await hass.callWS({
    type: "recorder/statistics_during_period",
    start_time: `${addDays(isMonths ? `${first}-01` : first, -1)}T00:00:00Z`,
    end_time: `${addDays(end, 1)}T00:00:00Z`,
    statistic_ids: ids,
    period: isMonths ? "month" : "day",
    types: ["change"],
  });
  const place = new Map(buckets.map((bucket, index) => [bucket, index]));
  const dateOf = dateIn(hass.config.time_zone);
  return new Map(
    Object.entries(rows).map(([id, changes]) => {
      const values = buckets.map(() => 0);
      for (const { start, change } of changes) {
        const index = place.get(dateOf(start).slice(0, first.length));
        if (index !== undefined) {
          values[index] = round(change ?? 0);
        }
      }
      return [id, values];
    }),
  );
}

/**
 * @param {string[]} buckets
 * @param {number[][]} series
 * @returns {number[]}
 */
function add(buckets, series) {
  return buckets.map((_, place) => sum(series.map((values) => values[place] ?? 0)));
}

/**
 * @param {number[]} numbers
 * @returns {number}
 */
function sum(numbers) {
  return numbers.reduce((total, one) => total + one, 0);
}

/**
 * @param {number} value
 * @returns {number}
 */
function round(value) {
  return Math.abs(value) < NOISE ? 0 : value;
}
