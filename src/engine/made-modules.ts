/** Texts of the small ES modules that the engine makes: each hands a value of the guest runtime to who imports it. */

/** What made modules import the guest runtime by. Not to be resolved for a tenant's module. */
export const RUNTIME = 'isola:runtime';
/** What a module imports its own `import()` and `import.meta` by. */
export const IMPORTER = 'isola:import';
/** What a module made for one other imports it by. */
export const TARGET = 'isola:target';

/** Names of the globals that the runtime module takes its exports from. They are gone before any tenant code runs. */
export const EXPOSED = ['take', 'put'] as const;

const USE_RUNTIME = `import{${EXPOSED.join()}}from"${RUNTIME}";`;

export function runtimeText(): string {
  return EXPOSED.map((name) => `export const ${name}=__isola_${name};`).join('');
}

/** A value as default export: what is imported of a text, data, JSON or WebAssembly module. */
export function valueText(slot: number): string {
  return `${USE_RUNTIME}export default take(${slot})`;
}

/** An object's properties as exports, the one called `default` included: a module of the runtime's own. */
export function objectText(slot: number, names: readonly string[]): string {
  return `${USE_RUNTIME}const e=take(${slot});${names.map((name, i) => exportText(`e[${JSON.stringify(name)}]`, name, i)).join('')}`;
}

/**
 * A CommonJS module as an ES module: `module.exports` by default, and its properties as far as their names are known
 * before it runs. The ES modules that it requires are evaluated first, since `require` cannot wait for them.
 */
export function commonJsText(slot: number, names: readonly string[], required: readonly number[]): string {
  const imports = required.map((key, i) => `import*as n${i} from"${TARGET}/${key}";`).join('');
  const puts = required.map((key, i) => `put(${key},n${i});`).join('');
  const own = names.filter((name) => name !== 'default' && name !== 'module.exports');
  return (
    `${USE_RUNTIME}${imports}${puts}const e=take(${slot})(),g=k=>{try{return e[k]}catch{}};` +
    `export default e;export{e as"module.exports"};` +
    own.map((name, i) => exportText(`g(${JSON.stringify(name)})`, name, i)).join('')
  );
}

/** Evaluates another module and hands its namespace over. */
export function loaderText(key: number): string {
  return `${USE_RUNTIME}import*as n from"${TARGET}";put(${key},n)`;
}

/** Fails as the other module did. */
export const PROBE_TEXT = `import"${TARGET}"`;

function exportText(expression: string, name: string, index: number): string {
  return `const v${index}=${expression};export{v${index} as ${JSON.stringify(name)}};`;
}
