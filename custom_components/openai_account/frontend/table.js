// @ts-check
// The table of costs by model or project.

/** @typedef {import("./account.js").Hass} Hass */
/** @typedef {import("./account.js").NamedEntity} NamedEntity */
/** @typedef {import("./texts.js").Texts} Texts */

/**
 * Return a template of a table, the most expensive row first, that sorts itself as costs change.
 *
 * @param {Hass} hass
 * @param {NamedEntity[]} entities
 * @param {string} title the title of the column with the names
 * @param {Texts} texts
 * @returns {string}
 */
export function tableTemplate(hass, entities, title, texts) {
  const money = formatOf(hass, { style: "currency", currency: "USD" });
  const share = formatOf(hass, { style: "percent" });
  const list = entities
    .map(({ entity, name }) => `(${quoted(entity)}, ${quoted(plain(name))})`)
    .join(", ");
  return [
    `{%- set table = namespace(rows=[], total=0) -%}`,
    `{%- for entity, name in [${list}] -%}`,
    `{%- set cost = states(entity) | float(0) -%}`,
    `{%- if cost > 0 -%}`,
    `{%- set table.rows = table.rows + [{"name": name, "cost": cost}] -%}`,
    `{%- set table.total = table.total + cost -%}`,
    `{%- endif -%}`,
    `{%- endfor -%}`,
    `{%- if table.rows -%}`,
    `<table width="100%"><tr><th align="left">${title}</th>`,
    `<th align="right">${texts.cost}</th><th align="right">${texts.share}</th></tr>`,
    `{%- for row in table.rows | sort(attribute="cost", reverse=true) %}`,
    `<tr><td>{{ row.name }}</td>`,
    `<td align="right">{{ ${quoted(money.before)} ~ "{:,.2f}".format(row.cost)`,
    ` | replace(",", "\\t") | replace(".", ${quoted(money.decimal)})`,
    ` | replace("\\t", ${quoted(money.group)}) ~ ${quoted(money.after)} }}</td>`,
    `<td align="right">{{ ${quoted(share.before)} ~`,
    ` (100 * row.cost / table.total) | round | int ~ ${quoted(share.after)} }}</td></tr>`,
    `{%- endfor -%}`,
    `</table>`,
    `{%- else -%}`,
    texts.noCosts,
    `{%- endif -%}`,
  ].join("");
}

/**
 * Return a text that is displayed as it is: nothing in a model's name is markup.
 *
 * @param {string} text
 * @returns {string}
 */
function plain(text) {
  return text.replace(/\s+/g, " ").replace(/[!-/:-@[-`{-~]/g, (one) => `&#${one.charCodeAt(0)};`);
}

/**
 * Return a text as a string literal of the template language, whatever it contains.
 *
 * @param {string} text
 * @returns {string}
 */
function quoted(text) {
  const escaped = text.replace(
    /[^A-Za-z0-9 _.,-]/gu,
    (one) => `\\U${(one.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`,
  );
  return `"${escaped}"`;
}

/**
 * Return what is written around and within numbers in the user's number format.
 *
 * @param {Hass} hass
 * @param {Intl.NumberFormatOptions} options
 * @returns {{before: string, after: string, decimal: string, group: string}}
 */
function formatOf(hass, options) {
  /** @type {Record<string, string | undefined>} */
  const chosen = {
    comma_decimal: "en-US",
    decimal_comma: "de",
    space_comma: "fr",
    quote_decimal: "de-CH",
    system: undefined,
  };
  const format = hass.locale.number_format ?? "language";
  const parts = new Intl.NumberFormat(format in chosen ? chosen[format] : hass.locale.language, {
    ...options,
    useGrouping: format !== "none",
  }).formatToParts(1234567.8);
  const digits = ["integer", "fraction"];
  const first = parts.findIndex((one) => digits.includes(one.type));
  const last = parts.findLastIndex((one) => digits.includes(one.type));
  /** @type {(some: Intl.NumberFormatPart[]) => string} */
  const text = (some) => some.map((one) => one.value).join("");
  return {
    before: text(parts.slice(0, first)),
    after: text(parts.slice(last + 1)),
    decimal: parts.find((one) => one.type === "decimal")?.value ?? "",
    group: parts.find((one) => one.type === "group")?.value ?? "",
  };
}
