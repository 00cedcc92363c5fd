// @ts-check
// The dashboard's own texts; names of entities and their states come from Home Assistant.

/** @typedef {import("./series.js").Grouping} Grouping */
/** @typedef {import("./periods.js").Period} Period */
/** @typedef {import("./parts.js").Part} Part */
/**
 * @typedef {object} Texts
 * @property {Record<Part, string>} parts headings, and names of the parts in the editor
 * @property {string} credit the credit that is available
 * @property {string} granted short names below the heading that says that these are credit
 * @property {string} used
 * @property {string} paid what of the available credit was paid for
 * @property {string} lasts how long
 * @property {string} expires the next grant
 * @property {string} today short names below the heading that says that these are costs
 * @property {string} yesterday
 * @property {string} last7Days the days before today
 * @property {string} thisMonth up to now
 * @property {string} sameDays the days of last month up to the current one
 * @property {string} lastMonth all of it
 * @property {string} forecast of the current month
 * @property {string} moreThanLastMonth `{share}`; compared with the same days
 * @property {string} lessThanLastMonth `{share}`; compared with the same days
 * @property {string} budget of the current month
 * @property {string} ofBudget `{amount}` spent, `{budget}`
 * @property {string} chart what the chart shows, for those who cannot see it
 * @property {string} period label: how long a period is shown
 * @property {Record<Period, string>} periods
 * @property {string} earlier the button that goes back in time
 * @property {string} later the button that goes forward in time
 * @property {string} groupBy label: what the costs are grouped by
 * @property {Record<Grouping, string>} groupings
 * @property {string} perDay `{amount}`; on average
 * @property {string} perMonth `{amount}`; on average
 * @property {string} other costs that belong to no model or project
 * @property {string} more `{number}`; those that there is no room for
 * @property {string} tokensChart what the chart of tokens shows, for those who cannot see it
 * @property {string} tokens `{amount}`
 * @property {string} requests `{number}`
 * @property {string} cachedShare `{share}` of the input
 * @property {string} noTokens there were none in the period
 * @property {string} noCosts there were none in the period
 * @property {string} noHistory no daily costs are recorded yet
 * @property {string} updated `{time}`, such as '3 minutes ago'
 * @property {string} neverUpdated
 * @property {string} sessionKeyFailed
 * @property {string} adminKeyFailed
 * @property {string} enterKey the link to where a new key is entered
 * @property {string} openBilling the link to OpenAI's billing page
 * @property {string} overdue a payment is
 * @property {string} spendLimitReached
 * @property {string} lowCredit `{amount}` left
 * @property {string} overBudget `{amount}` spent, `{budget}`
 * @property {string} canceled the subscription is
 * @property {string} cancellation short names below the heading of the subscription
 * @property {string} recharge by itself, when the credit is low
 * @property {string} noPaymentMethod
 * @property {string} noAccount there is no account yet
 * @property {string} addAccount the link that adds one
 * @property {string} unknownAccount the configured account does not exist
 * @property {string} noData the account reports nothing
 * @property {string} allAccounts the view of all accounts
 * @property {string} account label: which account is shown
 * @property {string} accounts label: which accounts are shown
 * @property {string} ofAccounts `{number}` of `{all}` accounts that a sum is made of
 * @property {string} shownParts label: which parts are shown
 */

/** @type {Record<string, (() => Promise<{default: Texts}>) | undefined>} */
const LANGUAGES = {
  de: () => import("./texts/de.js"),
  en: () => import("./texts/en.js"),
  es: () => import("./texts/es.js"),
  fr: () => import("./texts/fr.js"),
  ja: () => import("./texts/ja.js"),
  "zh-Hans": () => import("./texts/zh-Hans.js"),
  "zh-Hant": () => import("./texts/zh-Hant.js"),
};

/**
 * Return the value for a language, or else for its base language, or for English.
 *
 * @template Value
 * @param {Record<string, Value | undefined>} values must have one for `en`
 * @param {string} language a BCP 47 tag, such as `de`, `es-419` or `zh-Hans`
 * @returns {Value}
 */
export function inLanguage(values, language) {
  const base = language.split("-")[0] ?? "";
  return values[language] ?? values[base] ?? /** @type {Value} */ (values.en);
}

/**
 * Return the texts in a language, or in English if there are none.
 *
 * @param {string} language
 * @returns {Promise<Texts>}
 */
export async function textsIn(language) {
  return (await inLanguage(LANGUAGES, language)()).default;
}
