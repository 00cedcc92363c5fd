// @ts-check
// The recorded costs of accounts, by day or month.

import { colorAt, namesOf } from "./accounts.js";
import { addDays, addMonths, dateIn } from "./periods.js";

/** @typedef {import("./accounts.js").Account} Account */
/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./accounts.js").Kind | "account"} Grouping */
/**
 * @typedef {object} Group the costs of a model, of a project or of an account
 * @property {string | null} name null for the costs that belong to none of the groups
 * @property {string} color
 * @property {number[]} costs US dollars by day or month
 * @property {number} total
 * @property {string | undefined} entity the sensor that says more
 */
/**
 * @typedef {object} Costs
 * @property {string[]} buckets the days or months
 * @property {Group[]} groups the most expensive first
 * @property {number[]} costs of all groups, by day or month
 * @property {number} total
 */

/** Less than this is the noise of adding up. */
const NOISE = 0.000_05;

/**
 * Return by what the accounts' costs can be grouped.
 *
 * @param {Account[]} accounts
 * @returns {Grouping[]}
 */
export function groupingsOf(accounts) {
  const kinds = accounts.flatMap(({ listed }) => (listed.statistics ?? []).map((one) => one.kind));
  /** @type {Grouping[]} */
  const groupings = accounts.length > 1 ? ["account"] : [];
  /** @type {import("./accounts.js").Kind[]} */ (["model", "project"]).forEach((kind) => {
    if (kinds.includes(kind)) {
      groupings.push(kind);
    }
  });
  return groupings;
}

/**
 * Return the accounts' costs.
 *
 * @param {Hass} hass
 * @param {Account[]} accounts
 * @param {Grouping | undefined} grouping
 * @param {string[]} buckets
 * @returns {Promise<Costs>}
 */
export async function fetchCosts(hass, accounts, grouping, buckets) {
  const statistics = accounts.flatMap((account) =>
    (account.listed.statistics ?? [])
      .filter((one) => one.kind === null || one.kind === grouping)
      .map((one) => ({ ...one, account })),
  );
  const costs = await fetchStatistics(
    hass,
    statistics.map((one) => one.statistic_id),
    buckets,
  );
  /** @type {(id: string) => number[]} */
  const costsOf = (id) => costs.get(id) ?? buckets.map(() => 0);
  const totals = statistics.filter((one) => one.kind === null);
  const all = add(
    buckets,
    totals.map((one) => costsOf(one.statistic_id)),
  );
  const groups =
    grouping === "account"
      ? totals.map(({ account, statistic_id }) =>
          group(
            account.title,
            colorAt(accounts.indexOf(account)),
            costsOf(statistic_id),
            account.find("cost_this_month"),
          ),
        )
      : namesOf(accounts, grouping ?? "model").map((name, place) =>
          group(
            name,
            colorAt(place),
            add(
              buckets,
              statistics
                .filter((one) => one.kind !== null && one.name === name)
                .map((one) => costsOf(one.statistic_id)),
            ),
            accounts
              .flatMap(({ entities }) => entities)
              .find((one) => one.kind === grouping && one.name === name)?.entity_id,
          ),
        );
  const grouped = add(
    buckets,
    groups.map((one) => one.costs),
  );
  const rest = all.map((cost, place) => round(cost - (grouped[place] ?? 0)));
  return {
    buckets,
    groups: [...groups, group(null, "var(--disabled-color)", rest, undefined)]
      .filter(({ costs }) => costs.some((cost) => cost !== 0))
      .sort((one, other) => Number(!one.name) - Number(!other.name) || other.total - one.total),
    costs: all,
    total: sum(all),
  };
}

/**
 * Return the accounts' costs by bucket, not grouped.
 *
 * @param {Hass} hass
 * @param {Account[]} accounts
 * @param {string[]} buckets
 * @returns {Promise<number[]>}
 */
export async function fetchTotals(hass, accounts, buckets) {
  const ids = accounts
    .flatMap(({ listed }) => listed.statistics ?? [])
    .filter((one) => one.kind === null)
    .map((one) => one.statistic_id);
  return add(buckets, [...(await fetchStatistics(hass, ids, buckets)).values()]);
}

/**
 * @param {string | null} name
 * @param {string} color
 * @param {number[]} costs
 * @param {string | undefined} entity
 * @returns {Group}
 */
function group(name, color, costs, entity) {
  return { name, color, costs, total: sum(costs), entity };
}

/**
 * Return the costs in each bucket, by statistic.
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
      const costs = buckets.map(() => 0);
      for (const { start, change } of changes) {
        const index = place.get(dateOf(start).slice(0, first.length));
        if (index !== undefined) {
          costs[index] = round(change ?? 0);
        }
      }
      return [id, costs];
    }),
  );
}

/**
 * @param {string[]} buckets
 * @param {number[][]} series
 * @returns {number[]}
 */
function add(buckets, series) {
  return buckets.map((_, place) => sum(series.map((costs) => costs[place] ?? 0)));
}

/**
 * @param {number[]} numbers
 * @returns {number}
 */
function sum(numbers) {
  return numbers.reduce((total, one) => total + one, 0);
}

/**
 * @param {number} cost
 * @returns {number}
 */
function round(cost) {
  return Math.abs(cost) < NOISE ? 0 : cost;
}
