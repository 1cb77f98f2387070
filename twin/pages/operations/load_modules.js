// Loads modules for Panel in place of es-module-shims, the polyfill that it brings. That takes 150 to 200 ms of a cold
// page, because it reads every module once more and tries in frames what the browser can. Every browser that runs our
// pages has import().

const nonce = document.currentScript?.nonce ?? "";
const page = /** @type {any} */ (globalThis);
let made = 0;

/**
 * A module that Panel has assembled: a blob, which the page's policy does not let be imported. It is run as a script
 * with the page's nonce.
 */
async function assembled(url) {
  const code = await (await fetch(url)).text();
  const [before, exported, ...others] = code.split(/^export default /m);
  if (exported === undefined || others.length) throw new Error("Panel has assembled a module of another form.");
  const script = document.createElement("script");
  return new Promise((resolve, reject) => {
    const name = `__assembled${++made}`;
    page[name] = (value) => resolve({ default: value });
    script.type = "module";
    script.nonce = nonce;
    script.textContent = `${before}globalThis.${name}(${exported.trim().replace(/;$/, "")});`;
    script.addEventListener("error", () => reject(new Error("A module of Panel cannot be run.")));
    document.head.append(script);
  }).finally(() => script.remove());
}

page.importShim = (url) => (url.startsWith("blob:") ? assembled(url) : import(url));
page.importShim.addImportMap = () => {}; // ours name no module
