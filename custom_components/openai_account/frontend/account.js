// @ts-check
// An account as the integration and Home Assistant describe it: its entities, and its daily costs.

/** @typedef {{state: string, attributes: Record<string, unknown>}} State */
/**
 * @typedef {object} Hass
 * @property {Record<string, State | undefined>} states
 * @property {Record<string, {name?: string} | undefined>} entities those that are not disabled
 * @property {Record<string, unknown>} devices
 * @property {{version: string}} config
 * @property {{language: string, number_format?: string}} locale
 * @property {(message: Record<string, unknown>) => Promise<any>} callWS
 */
/**
 * @typedef {object} ListedEntity
 * @property {string} entity_id
 * @property {string} key what it shows, such as `cost_today`
 * @property {"model" | "project" | null} kind what it belongs to, if not to the account as a whole
 * @property {string | null} name the model's or project's name
 * @property {string | null} custom_name the user's own name for the entity
 */
/**
 * @typedef {object} ListedStatistic the costs of each day
 * @property {string} statistic_id
 * @property {"model" | "project" | null} kind
 * @property {string | null} name
 */
/**
 * @typedef {object} ListedAccount
 * @property {string} config_entry_id
 * @property {string | null} device_id
 * @property {string} title
 * @property {ListedEntity[]} entities those that are not disabled or hidden
 * @property {ListedStatistic[] | null} statistics null without a recorder
 */
/** @typedef {{entity: string, name: string}} NamedEntity */
/** @typedef {{statistic_id: string, name: string}} ModelStatistic */
/**
 * @typedef {object} History
 * @property {boolean} isRecorded whether there is a recorder
 * @property {string | undefined} account the statistic of all costs, once it has been written
 * @property {ModelStatistic[]} models
 */

/** How many days the chart of daily costs shows. */
export const DAYS = 30;

/**
 * Return the accounts by title.
 *
 * @param {Hass} hass
 * @returns {Promise<ListedAccount[]>}
 */
export async function listAccounts(hass) {
  return (await hass.callWS({ type: "openai_account/account/list" })).accounts;
}

/** An account and those of its entities that have a state. */
export class Account {
  /**
   * @param {Hass} hass
   * @param {ListedAccount} listed
   */
  constructor(hass, listed) {
    this.hass = hass;
    this.statistics = listed.statistics;
    this.entities = listed.entities.filter((one) => hass.states[one.entity_id]);
    /** @type {Set<string>} the entities that a card shows */
    this.shown = new Set();
  }

  /**
   * Return the entity with a key.
   *
   * @param {string} key
   * @returns {string | undefined}
   */
  find(key) {
    return this.entities.find((one) => one.key === key)?.entity_id;
  }

  /**
   * Return the entities with the keys, as far as they exist.
   *
   * @param {string[]} keys
   * @returns {string[]}
   */
  findAll(keys) {
    return keys.map((key) => this.find(key)).filter((one) => one !== undefined);
  }

  /**
   * Return the entities with the keys, as far as they exist, and count them as shown.
   *
   * @param {string[]} keys
   * @returns {string[]}
   */
  show(keys) {
    const found = this.findAll(keys);
    found.forEach((one) => this.shown.add(one));
    return found;
  }

  /**
   * Return the number that a sensor shows; NaN if there is none.
   *
   * @param {string} key
   * @returns {number}
   */
  value(key) {
    return Number.parseFloat(this.hass.states[this.find(key) ?? ""]?.state ?? "");
  }

  /**
   * Return an entity's name without its device's.
   *
   * @param {string} entity
   * @returns {string}
   */
  name(entity) {
    return this.hass.entities[entity]?.name ?? entity;
  }
}

/**
 * Return which daily costs are recorded: the account's, and those of models that had costs in the
 * days that the chart shows, the most expensive first.
 *
 * @param {Account} account
 * @returns {Promise<History>}
 */
export async function readHistory({ hass, statistics }) {
  const listed = statistics ?? [];
  const models = listed
    .filter((one) => one.kind === "model")
    .map((one) => ({ statistic_id: one.statistic_id, name: one.name ?? one.statistic_id }));
  const costs = await costsByStatistic(
    hass,
    models.map((one) => one.statistic_id),
  );
  /** @type {(model: ModelStatistic) => number} */
  const cost = (model) => costs.get(model.statistic_id) ?? 0;
  return {
    isRecorded: statistics !== null,
    account: listed.find((one) => one.kind === null)?.statistic_id,
    models: models
      .filter((one) => cost(one) > 0)
      .sort((one, other) => cost(other) - cost(one)),
  };
}

/**
 * Return what the days that the chart shows cost in all, refunds counted as costs.
 *
 * @param {Hass} hass
 * @param {string[]} ids
 * @returns {Promise<Map<string, number>>}
 */
async function costsByStatistic(hass, ids) {
  if (!ids.length) {
    return new Map();
  }
  /** @type {Record<string, {change?: number | null}[]>} */
  const rows = await hass.callWS({
    type: "recorder/statistics_during_period",
    start_time: new Date(Date.now() - DAYS * 24 * 3600 * 1000).toISOString(),
    statistic_ids: ids,
    period: "day",
    types: ["change"],
  });
  return new Map(
    Object.entries(rows).map(([id, days]) => [
      id,
      days.reduce((sum, day) => sum + Math.abs(day.change ?? 0), 0),
    ]),
  );
}

/**
 * Return the cost sensors of models, or of projects. Those in the chart come first and in its
 * order, which gives a model the same color everywhere.
 *
 * @param {Account} account
 * @param {"model" | "project"} kind
 * @param {History} history
 * @returns {NamedEntity[]}
 */
export function costEntities(account, kind, history) {
  /** @type {(one: NamedEntity) => number} */
  const place = ({ name }) => {
    const found = history.models.findIndex((model) => kind === "model" && model.name === name);
    return found < 0 ? history.models.length : found;
  };
  return account.entities
    .filter((one) => one.kind === kind)
    .map((one) => ({ entity: one.entity_id, name: one.custom_name ?? one.name ?? one.entity_id }))
    .sort((one, other) => place(one) - place(other) || one.name.localeCompare(other.name));
}
