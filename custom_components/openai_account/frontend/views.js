// @ts-check
// What the strategies generate: dashboards, views and sections.

import { Account, listAccounts } from "./accounts.js";
import { gaugeScale } from "./gauge.js";
import { LAYOUT, PARTS, SECTION_PARTS, cardsOf, gistCards } from "./parts.js";
import { TOKENS, isRecorded } from "./series.js";
import { textsIn } from "./texts.js";

/** @typedef {import("./accounts.js").Hass} Hass */
/** @typedef {import("./parts.js").Card} Card */
/** @typedef {import("./parts.js").Part} Part */
/** @typedef {import("./texts.js").Texts} Texts */
/** @typedef {{[option: string]: unknown}} Generated */
/**
 * @typedef {object} Config
 * @property {string} type
 * @property {string} [config_entry_id] the account of a view or section; the first one without it
 * @property {string[]} [config_entry_ids] the accounts of a dashboard; all of them without it
 * @property {Part[]} [parts] what of an account is shown; everything without it
 */
/**
 * @typedef {object} Result
 * @property {Generated} generated
 * @property {(hass: Hass) => string} fingerprint differs if it is to be generated anew
 */

const ADD_ACCOUNT = "/config/integrations/dashboard/add?domain=openai_account";

/** The address of the view of all accounts. */
const ALL = "all";

/** What the ids of config entries, which are the addresses of the other views, look like. */
const ENTRY_ID = /^[0-9a-z]{26,32}$/i;

/**
 * The views of each dashboard that was generated since the page was loaded.
 *
 * @type {Map<string, Generated[]>}
 */
const generatedViews = new Map();

/**
 * Return a dashboard: a view for each account, generated when it is opened, and one of all
 * accounts where there are several.
 *
 * @param {Config} config
 * @param {Hass} hass
 * @param {string} title
 * @param {string} icon
 * @returns {Promise<Generated>}
 */
export async function generateDashboard(config, hass, title, icon) {
  const { type, config_entry_ids, parts } = config;
  const texts = await textsIn(hass.locale.language);
  const all = await listAccounts(hass);
  const accounts = all.filter((one) => config_entry_ids?.includes(one.config_entry_id) ?? true);
  if (!accounts.length) {
    return { title, views: [{ title, icon, strategy: { type } }] };
  }
  const views = accounts.map(({ title, config_entry_id }) => ({
    title,
    path: config_entry_id,
    strategy: { type, config_entry_id, ...(parts && { parts }) },
  }));
  const overview = {
    title: texts.allAccounts,
    path: ALL,
    strategy: { type, config_entry_ids: accounts.map((one) => one.config_entry_id) },
  };
  const open = openView(hass);
  const isGone = ENTRY_ID.test(open) && !all.some((one) => one.config_entry_id === open);
  return {
    title,
    views: keepPlaces(JSON.stringify([hass.panelUrl, config]), [
      ...(accounts.length > 1 ? [overview, ...views] : views),
      ...(isGone ? [goneView(texts.account, open, { type, config_entry_id: open })] : []),
    ]),
  };
}

/**
 * Return the address of the dashboard's view that is open, as far as there is one.
 *
 * @param {Hass} hass
 * @returns {string}
 */
function openView(hass) {
  const [, panel, path = ""] = location.pathname.split("/");
  return panel === hass.panelUrl ? path : "";
}

/**
 * Return a view that is only there for those who have it open, or its address: it says that what
 * they look for does not exist, where the frontend would show another account.
 *
 * @param {unknown} title
 * @param {unknown} path
 * @param {unknown} strategy
 * @returns {Generated}
 */
function goneView(title, path, strategy) {
  return { title, path, strategy, visible: false, subview: true };
}

/**
 * Return the views of a dashboard, each at the place that it has had since the page was loaded:
 * the frontend knows the view that is open by its place alone.
 *
 * @param {string} dashboard
 * @param {Generated[]} views
 * @returns {Generated[]}
 */
function keepPlaces(dashboard, views) {
  const before = generatedViews.get(dashboard) ?? [];
  const kept = before.map(
    ({ title, path, strategy }) =>
      views.find((one) => one.path === path) ?? goneView(title, path, strategy),
  );
  const added = views.filter((view) => !before.some((one) => one.path === view.path));
  generatedViews.set(dashboard, [...kept, ...added]);
  return [...kept, ...added];
}

/**
 * Return the view of an account, or of several.
 *
 * @param {Config} config
 * @param {Hass} hass
 * @returns {Promise<Result>}
 */
export async function generateView({ config_entry_id, config_entry_ids, parts = PARTS }, hass) {
  checkParts(parts);
  const texts = await textsIn(hass.locale.language);
  const accounts = await Account.all(hass);
  if (!accounts.length) {
    const link = hass.user?.is_admin ? `\n\n[${texts.addAccount}](${ADD_ACCOUNT})` : "";
    return notice(`${texts.noAccount}${link}`);
  }
  if (config_entry_ids) {
    const chosen = accounts.filter(({ id }) => config_entry_ids.includes(id));
    return result(chosen, viewOf(chosen, overviewSections(hass, chosen, texts)));
  }
  const account = choose(accounts, config_entry_id);
  if (!account) {
    return notice(texts.unknownAccount);
  }
  const sections = parts
    .map((part) => ({ ...LAYOUT[part], part, cards: cardsOf(part, account, texts) }))
    .filter(({ cards }) => cards.length)
    .map(({ part, icon, columns, cards }) => ({
      type: "grid",
      column_span: columns,
      cards: [heading(texts.parts[part], icon), ...cards],
      visibility: ["models", "projects", "api_keys"].includes(part) ? hasCosts(account) : [],
    }));
  if (!sections.length && !account.listed.failed_keys.length) {
    return notice(texts.noData);
  }
  return result([account], viewOf([account], sections));
}

/**
 * Return a section with some parts of an account.
 *
 * @param {Config} config
 * @param {Hass} hass
 * @returns {Promise<Result>}
 */
export async function generateSection({ config_entry_id, parts = SECTION_PARTS }, hass) {
  checkParts(parts);
  const texts = await textsIn(hass.locale.language);
  const accounts = await Account.all(hass);
  const account = choose(accounts, config_entry_id);
  if (!account) {
    const content = accounts.length ? texts.unknownAccount : texts.noAccount;
    return result([], { type: "grid", cards: [{ type: "markdown", content }] });
  }
  const cards = parts.flatMap((part) => {
    const found = cardsOf(part, account, texts);
    return found.length && parts.length > 1
      ? [heading(texts.parts[part], LAYOUT[part].icon, "subtitle"), ...found]
      : found;
  });
  return result([account], {
    type: "grid",
    cards: [heading(account.title, "mdi:creation"), statusCard([account]), ...cards],
  });
}

/**
 * Return the configuration that a new section begins with.
 *
 * @param {string} type
 * @param {Hass} hass
 * @returns {Promise<Config>}
 */
export async function sectionStub(type, hass) {
  const [first] = await listAccounts(hass);
  return { type, parts: SECTION_PARTS, ...(first && { config_entry_id: first.config_entry_id }) };
}

/**
 * @param {Account[]} accounts
 * @param {string | undefined} id
 * @returns {Account | undefined}
 */
function choose(accounts, id) {
  return id ? accounts.find((account) => account.id === id) : accounts[0];
}

/**
 * @param {string[]} parts
 */
function checkParts(parts) {
  const unknown = parts.filter((part) => !PARTS.some((one) => one === part));
  if (unknown.length) {
    throw new Error(`Unknown parts: ${unknown.join(", ")}. There are: ${PARTS.join(", ")}`);
  }
}

/**
 * Return the sections of the view of several accounts: their sums, and the gist of each.
 *
 * @param {Hass} hass
 * @param {Account[]} accounts
 * @param {Texts} texts
 * @returns {Generated[]}
 */
function overviewSections(hass, accounts, texts) {
  const config_entry_ids = accounts.map(({ id }) => id);
  const grid_options = { columns: 12 };
  return [
    {
      type: "grid",
      cards: [
        heading(texts.allAccounts, "mdi:sigma"),
        { type: "custom:openai-account-totals", config_entry_ids, grid_options },
        { type: "custom:openai-account-month", config_entry_ids, grid_options },
      ],
    },
    {
      type: "grid",
      column_span: 2,
      cards: [
        heading(texts.parts.history, LAYOUT.history.icon),
        { type: "custom:openai-account-costs", config_entry_ids },
      ],
    },
    ...(accounts.some((account) => isRecorded(account, TOKENS))
      ? [
          {
            type: "grid",
            column_span: 2,
            cards: [
              heading(texts.parts.usage, LAYOUT.usage.icon),
              { type: "custom:openai-account-tokens", config_entry_ids },
            ],
          },
        ]
      : []),
    ...accounts.map((account) => ({
      type: "grid",
      cards: [
        {
          ...heading(account.title, "mdi:account-circle"),
          tap_action: {
            action: "navigate",
            navigation_path: `/${hass.panelUrl}/${account.id}`,
          },
        },
        ...gistCards(account, texts),
      ],
    })),
  ];
}

/**
 * @param {Account[]} accounts
 * @param {Generated[]} sections
 * @returns {Generated}
 */
function viewOf(accounts, sections) {
  return {
    type: "sections",
    max_columns: 3,
    // Short sections fill the gaps beside the wide one; on a phone the order stays.
    dense_section_placement: true,
    header: { card: statusCard(accounts), layout: "start" },
    sections,
  };
}

/**
 * @param {Account[]} accounts
 * @returns {Card}
 */
function statusCard(accounts) {
  return {
    type: "custom:openai-account-status",
    config_entry_ids: accounts.map(({ id }) => id),
    grid_options: { columns: 12 },
  };
}

/**
 * @param {string} heading
 * @param {string} icon
 * @param {"title" | "subtitle"} [heading_style]
 * @returns {Card}
 */
function heading(heading, icon, heading_style = "title") {
  return { type: "heading", heading, icon, heading_style };
}

/**
 * Return conditions that hide shares of costs while there are none, or they are unavailable.
 *
 * @param {Account} account
 * @returns {object[]}
 */
function hasCosts(account) {
  const entity = account.find("cost_this_month");
  return entity ? [{ condition: "numeric_state", entity, above: 0 }] : [];
}

/**
 * Return a view with a single message.
 *
 * @param {string} content
 * @returns {Result}
 */
function notice(content) {
  const cards = [{ type: "markdown", content }];
  return result([], { type: "sections", max_columns: 1, sections: [{ type: "grid", cards }] });
}

/**
 * @param {Account[]} accounts
 * @param {Generated} generated
 * @returns {Result}
 */
function result(accounts, generated) {
  // The gauge and its scale are chosen by states, and tiles pair off as far as they are reported.
  return {
    generated,
    fingerprint: (hass) =>
      JSON.stringify(
        accounts.map((account) => [
          account.creditKey(hass),
          gaugeScale(account, hass),
          account.entities.map((one) => hass.states[one.entity_id]?.state === "unknown"),
        ]),
      ),
  };
}
