/** Runs the same code in Node and in a Worker, and says where they differ. */
import assert from 'node:assert/strict';
import { createRuntime, type Runtime } from '../../src/index.ts';

/** Each case answers values; they may be anything that `show` below can tell. */
export type Cases = Readonly<Record<string, string>>;

const SHOW = `
const show = (value, depth = 0) => {
  if (typeof value === 'bigint') return value + 'n';
  if (value === undefined) return '(undefined)';
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'function') return '(function ' + value.name + ')';
  if (typeof value === 'symbol') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return { error: value.name, code: value.code ?? '', message: value.message };
  if (value instanceof Uint8Array) return value.constructor.name + ' ' + Array.from(value).join();
  if (depth > 6) return '...';
  if (Array.isArray(value)) return value.map((item) => show(item, depth + 1));
  return Object.fromEntries(Object.entries(value).sort().map(([key, item]) => [key, show(item, depth + 1)]));
};
const attempt = (run) => { try { return run(); } catch (error) { return error; } };
const runAll = async (cases) => {
  const results = {};
  for (const [name, run] of Object.entries(cases)) {
    try { results[name] = show(await run()); } catch (error) { results[name] = { threw: show(error) }; }
  }
  return JSON.stringify(results);
};`;

function toModule(imports: string, cases: Cases): string {
  const table = Object.entries(cases).map(([name, body]) => `${JSON.stringify(name)}: async () => { ${body} }`);
  return `${imports}\n${SHOW}\nconst all = () => runAll({ ${table.join(',\n')} });`;
}

async function inNode(code: string): Promise<Record<string, unknown>> {
  const module = (await import(`data:text/javascript,${encodeURIComponent(`${code}\nexport default all;`)}`)) as {
    default: () => Promise<string>;
  };
  return JSON.parse(await module.default()) as Record<string, unknown>;
}

/** Asserts that each case answers the same in Node and in a Worker with `nodejs_compat`. */
export async function compare(runtime: Runtime, imports: string, cases: Cases): Promise<void> {
  const code = toModule(imports, cases);
  const name = `case-${Math.random().toString(36).slice(2)}`;
  await runtime.deploy(name, {
    modules: { 'index.js': `${code}\nexport default { async fetch() { return new Response(await all()); } };` },
    compatibilityFlags: ['nodejs_compat'],
    limits: { cpuMs: 2_000 }, // a busy machine is no failure
  });
  const response = await runtime.fetch(name, new Request('https://worker.test/'));
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const worker = JSON.parse(text) as Record<string, unknown>;
  const node = await inNode(code);
  const failures: string[] = [];
  for (const key of Object.keys(cases)) {
    failures.push(...differences(key, worker[key], node[key]));
  }
  assert.equal(failures.length, 0, failures.join('\n'));
}

function differences(path: string, worker: unknown, node: unknown): string[] {
  if (Array.isArray(worker) && Array.isArray(node) && worker.length === node.length) {
    return worker.flatMap((item, i) => differences(`${path}[${i}]`, item, node[i]));
  }
  const [is, should] = [JSON.stringify(worker), JSON.stringify(node)];
  return is === should ? [] : [`${path}\n  worker ${is}\n  node   ${should}`];
}

export function openRuntime(): Promise<Runtime> {
  return createRuntime();
}
