/** Finds the tests of a checkout and reads what their `// META:` comments say. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { areaOf } from './areas.ts';

/** One run of one file: a file with variants is run once for each. */
export interface TestFile {
  /** Path and variant, e.g. `url/toascii.window.js?1-10`. Names it in the expectations. */
  readonly id: string;
  /** Relative to the checkout. */
  readonly path: string;
  /** The query it is loaded with: empty, or from its `?` or `#` on. */
  readonly variant: string;
  readonly title: string;
  /** Paths of the scripts to run before it, relative to the checkout. */
  readonly scripts: readonly string[];
  readonly isLong: boolean;
}

/** Globals in whose scope a Worker can stand. A file that names others only asks for a document or a ShadowRealm. */
const SUITABLE_GLOBALS = new Set(['worker', 'dedicatedworker', 'serviceworker', 'jsshell', 'default']);
/** Of files and variants: needs TLS or HTTP/2, which the runner's server has not, or is a proposal that only browsers try. */
const UNSUITABLE = /\.h2\.|wpt_flags=(h2|https)|[?&]wss\b|\/crashtests\/|^websockets\/stream\//;
const META = /^\/\/ META: (\w+)=(.*)$/gm;

/** All scored tests below `directory` whose id starts with one of `prefixes` (none: all), in order. */
export async function discover(directory: string, prefixes: readonly string[]): Promise<TestFile[]> {
  const paths = (await readdir(directory, { recursive: true })).map((path) => path.replaceAll('\\', '/'));
  const wanted = paths.filter((path) => path.endsWith('.any.js') && areaOf(path) !== undefined);
  const tests = await Promise.all(
    wanted.toSorted().map(async (path) => readTests(path, await readFile(join(directory, path), 'utf8'))),
  );
  const suitable = tests.flat().filter(({ id }) => !UNSUITABLE.test(id));
  return suitable.filter(({ id }) => prefixes.length === 0 || prefixes.some((prefix) => id.startsWith(prefix)));
}

/** The tests of one file: none when it cannot run in a Worker. */
export function readTests(path: string, source: string): TestFile[] {
  const metas = [...source.matchAll(META)].map(([, key = '', value = '']) => ({ key, value: value.trim() }));
  const all = (key: string): string[] => metas.filter((meta) => meta.key === key).map(({ value }) => value);
  const globals = all('global').flatMap((value) => value.split(',').map((name) => name.trim()));
  if (globals.length > 0 && !globals.some((name) => SUITABLE_GLOBALS.has(name))) return [];
  const variants = all('variant');
  return (variants.length === 0 ? [''] : variants).map((variant) => ({
    id: `${path}${variant}`,
    path,
    variant,
    title: all('title')[0] ?? posix.basename(path, '.any.js'),
    scripts: all('script').map((script) => resolveScript(path, script)),
    isLong: all('timeout').includes('long'),
  }));
}

function resolveScript(path: string, script: string): string {
  return script.startsWith('/') ? script.slice(1) : posix.join(dirname(path), script);
}
