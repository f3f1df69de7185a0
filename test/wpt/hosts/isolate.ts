/** Runs each page as a Worker of its own, in an isolate as the product makes it: engine, cell, broker, host calls. */
import { MAX_CPU_MS, MAX_MEMORY_MIB, MAX_SUBREQUESTS } from '../../../src/limits.ts';
import type { InvocationRecord } from '../../../src/model.ts';
import { Runtime } from '../../../src/runtime/index.ts';
import { type Page, type PageResult, runPage } from '../page.ts';
import { type HostAnswer, serveParent } from './host.ts';

/**
 * The product takes `eval` away from tenants, and gives their code no base for relative URLs. Tests are classic scripts
 * with an address, so here the runtime is made to keep both for the Worker below.
 */
const TEST_ACCESS = ';globalThis.__wpt = { evaluate: eval, setBaseUrl: __isola.setBaseUrl };';

const WORKER = `
const { evaluate, setBaseUrl } = globalThis.__wpt;
delete globalThis.__wpt;
globalThis.eval = evaluate; // idlharness.js makes its objects of text
const runPage = ${runPage.toString()};
const { Response, JSON } = globalThis;
export default {
  async fetch(request) {
    const page = JSON.parse(await request.text());
    setBaseUrl(page.href);
    // What is loaded on first use is an accessor before, and idlharness.js wants to find values.
    if (page.href.includes('/idlharness')) for (const name of Object.getOwnPropertyNames(globalThis)) void globalThis[name];
    return new Response(await runPage(page, evaluate));
  },
};`;

const NAME = 'page';

let records: InvocationRecord[] = [];
const runtime = await Runtime.create(
  { allowPrivateEgress: true, onRecord: (record) => void records.push(record) },
  (source) => source + TEST_ACCESS,
);

serveParent(async (page: Page): Promise<HostAnswer> => {
  records = [];
  await runtime.deploy(NAME, {
    modules: { 'page.js': WORKER },
    limits: { cpuMs: MAX_CPU_MS, memoryMiB: MAX_MEMORY_MIB, subrequests: MAX_SUBREQUESTS },
  });
  const response = await runtime.fetch(NAME, new Request(page.href, { method: 'POST', body: JSON.stringify(page) }));
  const text = await response.text();
  if (response.status === 200) return { result: JSON.parse(text) as PageResult };
  const record = records[0];
  const [exception] = record?.exceptions ?? [];
  return { crash: `${record?.outcome ?? response.status} ${exception?.message ?? ''}`.trim() };
});
