// @ts-check
// The parts of an account's view, and their cards. What the account does not have gets no card.

import { CREDIT_KEYS, colorAt, namesOf } from "./accounts.js";
import { gaugeScale } from "./gauge.js";
import { COSTS, TOKENS, isRecorded } from "./series.js";
import { LEFT_OUT, USAGE_KEYS } from "./usage-card.js";

/** @typedef {import("./accounts.js").Account} Account */
/** @typedef {import("./accounts.js").Kind} Kind */
/** @typedef {import("./texts.js").Texts} Texts */
/** @typedef {{type: string, [option: string]: unknown}} Card */
/**
 * @typedef {"credit" | "costs" | "history" | "models" | "projects" | "api_keys" | "usage" |
 *   "subscription"} Part
 */

/**
 * The parts in the order in which they are shown; on a phone, one below the other.
 *
 * @type {Part[]}
 */
export const PARTS = [
  "credit",
  "costs",
  "history",
  "models",
  "projects",
  "api_keys",
  "usage",
  "subscription",
];

/**
 * The parts of an account in a section of its own, unless the user chooses others.
 *
 * @type {Part[]}
 */
export const SECTION_PARTS = ["credit", "costs"];

/** @type {Record<Part, {icon: string, columns: number}>} */
export const LAYOUT = {
  credit: { icon: "mdi:wallet", columns: 1 },
  costs: { icon: "mdi:cash-multiple", columns: 1 },
  history: { icon: "mdi:chart-bar-stacked", columns: 2 },
  models: { icon: "mdi:creation", columns: 1 },
  projects: { icon: "mdi:folder", columns: 1 },
  api_keys: { icon: "mdi:key", columns: 1 },
  usage: { icon: "mdi:counter", columns: 2 },
  subscription: { icon: "mdi:card-account-details", columns: 1 },
};

/** What each part shows, and by that what is left to the last one. */
const CREDIT = ["total_granted", "total_used", "total_paid_available"];
const CREDIT_TILES = ["days_left", "next_grant_expiry"];
const COST_TILES = ["cost_today", "cost_yesterday", "cost_last_7_days"];
const IN_MONTH_CARD = [
  "cost_this_month",
  "forecast_this_month",
  "budget_used",
  "budget_left",
  "cost_last_month",
];
/** The view's head tells what is wrong. */
const IN_STATUS_CARD = ["low_balance", "over_budget", "problem", "spend_limit_reached"];
const SUBSCRIPTION = [
  "plan",
  "has_payment_method",
  "delinquent",
  "canceled",
  "canceled_at",
  "access_until",
  "soft_limit_usd",
  "hard_limit_usd",
  "auto_recharge_enabled",
  "auto_recharge_threshold",
  "auto_recharge_to_balance",
];
const ELSEWHERE = [
  ...CREDIT_KEYS,
  ...CREDIT,
  ...CREDIT_TILES,
  ...COST_TILES,
  ...IN_MONTH_CARD,
  ...IN_STATUS_CARD,
  ...USAGE_KEYS,
  ...LEFT_OUT,
  "tokens_last_24_hours",
  "requests_last_24_hours",
  "model_tokens",
];

const HALF = { columns: 6 };
const WHOLE = { columns: 12 };

/**
 * Return a condition that hides an entity while the account does not report its value.
 *
 * @param {string} entity
 * @returns {object}
 */
const isReported = (entity) => ({ condition: "state", entity, state_not: "unknown" });

/**
 * Return the cards of a part.
 *
 * @param {Part} part
 * @param {Account} account
 * @param {Texts} texts
 * @returns {Card[]}
 */
export function cardsOf(part, account, texts) {
  const config_entry_ids = [account.id];
  switch (part) {
    case "credit":
      return creditCards(account, texts);
    case "costs":
      return [
        ...tiles(account, COST_TILES, [texts.today, texts.yesterday, texts.last7Days]),
        ...(account.find("cost_this_month")
          ? [{ type: "custom:openai-account-month", config_entry_ids, grid_options: WHOLE }]
          : []),
      ];
    case "history": {
      const hasCosts = isRecorded(account, COSTS) || account.find("cost_this_month");
      return account.listed.statistics && hasCosts
        ? [{ type: "custom:openai-account-costs", config_entry_ids }]
        : [];
    }
    case "models":
      return shareCards(account, "model");
    case "projects":
      return shareCards(account, "project");
    case "api_keys":
      return shareCards(account, "api_key");
    case "usage":
      return [
        ...(isRecorded(account, TOKENS)
          ? [{ type: "custom:openai-account-tokens", config_entry_ids }]
          : []),
        ...(USAGE_KEYS.some((key) => account.find(key))
          ? [{ type: "custom:openai-account-usage", config_entry_ids }]
          : []),
      ];
    case "subscription":
      return subscriptionCards(account, texts);
  }
}

/**
 * Return the entities with the keys, as far as they exist, and their names.
 *
 * @param {Account} account
 * @param {string[]} keys
 * @param {(string | undefined)[]} names short ones, at the places of the keys
 * @returns {{entity: string, name: string}[]}
 */
function named(account, keys, names) {
  return keys.flatMap((key, place) => {
    const entity = account.find(key);
    return entity ? [{ entity, name: account.name(entity, names[place]) }] : [];
  });
}

/**
 * Return a tile for each entity with one of the keys, two in a row; the last one has a row to
 * itself if their number is odd.
 *
 * @param {Account} account
 * @param {string[]} keys
 * @param {string[]} names names that are enough below the heading
 * @returns {Card[]}
 */
function tiles(account, keys, names) {
  const found = named(account, keys, names);
  const reported = found.filter(({ entity }) => account.hass.states[entity]?.state !== "unknown");
  return found.map(({ entity, name }) => ({
    type: "tile",
    entity,
    name,
    grid_options: entity === reported.at(-1)?.entity && reported.length % 2 ? WHOLE : HALF,
    visibility: [isReported(entity)],
  }));
}

/**
 * Return one card with a row for each entity with one of the keys; none without entities.
 *
 * @param {Account} account
 * @param {string[]} keys
 * @param {(string | undefined)[]} [names] names that are enough below the heading
 * @returns {Card[]}
 */
function rows(account, keys, names = []) {
  const found = named(account, keys, names);
  const entities = found.map(({ entity }) => entity);
  if (!entities.length) {
    return [];
  }
  return [
    {
      type: "entities",
      entities: found.map(({ entity, name }) => ({
        type: "conditional",
        conditions: [isReported(entity)],
        // 'On' is not a warning: that there is a payment method is good.
        row: { entity, name, state_color: false },
      })),
      grid_options: WHOLE,
      visibility: [{ condition: "or", conditions: entities.map(isReported) }],
    },
  ];
}

/**
 * Return the available credit as a gauge: as it is reported, or else as it is estimated.
 *
 * @param {Account} account
 * @returns {Card[]}
 */
function availableCards(account) {
  const known = account.find(account.creditKey() ?? "");
  const scale = gaugeScale(account);
  if (known && scale) {
    // Without a number, a gauge would be a warning until it is replaced.
    const visibility = [
      { condition: "state", entity: known, state_not: ["unavailable", "unknown"] },
    ];
    const gauge = { type: "gauge", min: 0, ...scale, needle: true, visibility };
    return [{ ...gauge, entity: known, name: account.name(known), grid_options: WHOLE }];
  }
  const entity = CREDIT_KEYS.map((key) => account.find(key)).find((one) => one !== undefined);
  return entity
    ? [{ type: "tile", entity, name: account.name(entity), grid_options: WHOLE }]
    : [];
}

/**
 * Return the credit, how long it lasts, and the other facts about it.
 *
 * @param {Account} account
 * @param {Texts} texts
 * @returns {Card[]}
 */
function creditCards(account, texts) {
  return [
    ...availableCards(account),
    ...tiles(account, CREDIT_TILES, [texts.lasts, texts.expires]),
    ...rows(account, CREDIT, [texts.granted, texts.used, texts.paid]),
  ];
}

/**
 * Return the most important of an account, for a place where it is one of several.
 *
 * @param {Account} account
 * @param {Texts} texts
 * @returns {Card[]}
 */
export function gistCards(account, texts) {
  const names = [texts.today, texts.thisMonth];
  return [
    ...availableCards(account),
    ...tiles(account, ["cost_today", "cost_this_month"], names),
  ];
}

/**
 * Return how this month's costs are shared among the models, projects or API keys.
 *
 * @param {Account} account
 * @param {Kind} kind
 * @returns {Card[]}
 */
function shareCards(account, kind) {
  const names = namesOf([account], kind);
  const entities = account.entities
    .filter((one) => one.key === COSTS.sensors[kind])
    .map((one) => ({
      entity: one.entity_id,
      name: one.custom_name ?? one.name ?? one.entity_id,
      color: colorAt(names.indexOf(one.name ?? "")),
      cost: Number.parseFloat(account.hass.states[one.entity_id]?.state ?? ""),
    }))
    .sort((one, other) => (other.cost || 0) - (one.cost || 0));
  if (!entities.length) {
    return [];
  }
  return [
    {
      type: "distribution",
      entities: entities.map(({ entity, name, color }) => ({ entity, name, color })),
      grid_options: WHOLE,
    },
  ];
}

/**
 * Return the subscription, and every other entity of the account that no other part shows.
 *
 * @param {Account} account
 * @param {Texts} texts
 * @returns {Card[]}
 */
function subscriptionCards(account, texts) {
  const rest = account.entities
    .filter(({ key, kind }) => kind === null && ![...SUBSCRIPTION, ...ELSEWHERE].includes(key))
    .map((one) => one.key);
  /** @type {Record<string, string | undefined>} */
  const short = { canceled: texts.cancellation, auto_recharge_enabled: texts.recharge };
  const names = SUBSCRIPTION.map((key) => short[key]);
  return rows(account, [...SUBSCRIPTION, ...rest], names);
}
