/**
 * What has to be known of a module's source beside what V8 finds out: where `import()` and `import.meta` stand, and what
 * a CommonJS module exports and requires. Found once per version in this process, not at each start of it.
 */
import { initSync, parse as parseCommonJs } from 'cjs-module-lexer';
import { parse as parseModule } from 'es-module-lexer/minimal/js';
import type { ModuleSource } from '../model.ts';
import { LoadError } from './load-error.ts';

export interface CommonJsFacts {
  readonly exports: readonly string[];
  /** What the module exports of others: `module.exports = require('./other')`. */
  readonly reexports: readonly string[];
  /** Specifiers of `require` calls with a literal, as far as they look like such. */
  readonly requires: readonly string[];
}

const decoder = new TextDecoder('utf-8', { fatal: true });
const MAY_IMPORT = /\bimport\s*(?:[(.]|\/[*/])/;
const REQUIRE = /\brequire\s*\(\s*(?:'([^'\\\n]+)'|"([^"\\\n]+)"|`([^`\\\n$]+)`)\s*\)/g;
const KEYWORD_LENGTH = 'import'.length;

const dynamicSites = new WeakMap<ModuleSource, readonly number[]>();
const commonJsFacts = new WeakMap<ModuleSource, CommonJsFacts>();

export function decodeSource(source: ModuleSource): string {
  try {
    return decoder.decode(source.content);
  } catch {
    throw new LoadError(`Cannot load "${source.name}": it is not valid UTF-8`);
  }
}

/**
 * V8 leaves `import()` and `import.meta` to its embedder, and isolated-vm offers neither to code that is compiled from
 * outside. So the keyword is replaced by a name of the same length, which stands for a function with a property `meta`:
 * no line and no column moves. Answers undefined when there is nothing to replace.
 */
export function replaceImports(source: ModuleSource, text: string): { text: string; name: string } | undefined {
  const sites = findSites(source, text);
  if (sites.length === 0) return undefined;
  const name = unusedName(text);
  let replaced = '';
  let end = 0;
  for (const site of sites) {
    replaced += text.slice(end, site) + name;
    end = site + KEYWORD_LENGTH;
  }
  return { text: replaced + text.slice(end), name };
}

function findSites(source: ModuleSource, text: string): readonly number[] {
  let sites = dynamicSites.get(source);
  if (sites === undefined) {
    sites = MAY_IMPORT.test(text) ? lexSites(text) : [];
    dynamicSites.set(source, sites);
  }
  return sites;
}

/** Of `import(…)` and of phases such as `import.source(…)` the keyword starts the expression; so it does of `import.meta`. */
function lexSites(text: string): number[] {
  try {
    const [imports] = parseModule(text);
    return imports.filter(({ d }) => d !== -1).map(({ ss }) => ss);
  } catch {
    return []; // V8 will say what is wrong with it
  }
}

/** A name of six characters that occurs nowhere in the text. */
function unusedName(text: string): string {
  for (let count = 0; ; count++) {
    const name = `$${count.toString(36).padStart(KEYWORD_LENGTH - 1, '_')}`;
    if (!text.includes(name)) return name;
  }
}

export function commonJsFactsOf(source: ModuleSource, text: string): CommonJsFacts {
  let facts = commonJsFacts.get(source);
  if (facts === undefined) {
    const requires = [...text.matchAll(REQUIRE)].map(([, single, double, plain]) => single ?? double ?? plain ?? '');
    facts = { ...lexExports(text), requires: [...new Set(requires)] };
    commonJsFacts.set(source, facts);
  }
  return facts;
}

function lexExports(text: string): Pick<CommonJsFacts, 'exports' | 'reexports'> {
  initSync();
  try {
    return parseCommonJs(text);
  } catch {
    return { exports: [], reexports: [] };
  }
}
