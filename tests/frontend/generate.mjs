// Runs the dashboard's scripts as the frontend does, without a browser.
// Standard input: {"hass": …, "responses": {command: response}, "language": …, "path": …,
// "calls": [[element or module, method, ...arguments]]}, where the argument "hass" means the hass
// above, "@accounts" its accounts, "@account" the first of them, "@texts" the texts, and {"change": {entity: state}} the hass with these states. The call
// ["@respond", {command: response}] changes what is responded from then on.
// Standard output: {"offered": …, "results": [one result per call]}.

import { readFileSync } from "node:fs";

const { hass, responses, calls, language, path } = JSON.parse(readFileSync(0, "utf8"));
const elements = new Map();
globalThis.window = globalThis;
globalThis.HTMLElement = class {};
globalThis.location = { pathname: path };
globalThis.document = { documentElement: { lang: language } };
globalThis.customElements = {
  define: (name, element) => elements.set(name, element),
  get: (name) => elements.get(name),
};
hass.callWS = async ({ type }) => {
  if (!(type in responses)) throw new Error(`Unknown command: ${type}`);
  return responses[type];
};

const script = new URL("openai-account-strategy.js", `file://${process.argv[2]}/`);
await import(script.href);
// Loaded again from another address, as after an update, it must not be offered twice.
await import(`${script.href}?again`);

const modules = new URL(".", script);
const accounts = async () => (await import(new URL("accounts.js", modules))).Account.all(hass);
const results = [];
for (const [target, method, ...args] of calls) {
  if (target === "@respond") {
    Object.assign(responses, method);
    results.push(null);
    continue;
  }
  const given = await Promise.all(
    args.map(async (one) => {
      if (one === "hass") return hass;
      if (one === "@accounts") return accounts();
      if (one === "@account") return (await accounts())[0];
      if (one === "@texts") {
        return (await import(new URL("texts.js", modules))).textsIn(hass.locale.language);
      }
      if (Array.isArray(one)) return one.map((part) => part ?? undefined);
      if (!one?.change) return one;
      const changed = Object.entries(one.change).map(([id, state]) => [id, { state }]);
      return { ...hass, states: { ...hass.states, ...Object.fromEntries(changed) } };
    }),
  );
  const owner = target.endsWith(".js")
    ? await import(new URL(target, modules))
    : elements.get(target);
  results.push((await owner[method](...given)) ?? null);
}
console.log(JSON.stringify({ offered: window.customStrategies, results }));
