/** Runs one page in this Node process itself, for a score to compare with. */
import { runInThisContext } from 'node:vm';
import { type Page, type PageResult, runPage } from '../page.ts';
import { type HostAnswer, serveParent } from './host.ts';

// Node ends the process for these; a page goes on.
process.on('uncaughtException', () => {});
process.on('unhandledRejection', () => {});

const { JSON } = globalThis;
const evaluate = (source: string): unknown => runInThisContext(source);

serveParent(async (page: Page): Promise<HostAnswer> => {
  // undici resolves relative URLs against this, so that it can run these tests itself.
  Object.defineProperty(globalThis, Symbol.for('undici.globalOrigin.1'), { value: new URL(page.href), writable: true });
  return { result: JSON.parse(await runPage(page, evaluate)) as PageResult };
});
