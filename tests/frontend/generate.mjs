// Runs the dashboard's strategies as the frontend does, without a browser.
// Standard input: {"hass": …, "responses": {command: response}, "language": …,
// "calls": [[element, method, ...arguments]]}, where the argument "hass" means the hass above, and
// an object with "change" the same with the states of those entities changed.
// Standard output: {"offered": …, "results": [one result per call]}.

import { readFileSync } from "node:fs";

const { hass, responses, calls, language } = JSON.parse(readFileSync(0, "utf8"));
const elements = new Map();
globalThis.window = globalThis;
globalThis.HTMLElement = class {};
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

const results = [];
for (const [element, method, ...args] of calls) {
  const given = args.map((one) => {
    if (!one.change) return one === "hass" ? hass : one;
    const changed = one.change.map((id) => [id, { state: "another", attributes: {} }]);
    return { ...hass, states: { ...hass.states, ...Object.fromEntries(changed) } };
  });
  results.push((await elements.get(element)[method](...given)) ?? null);
}
console.log(JSON.stringify({ offered: window.customStrategies, results }));
