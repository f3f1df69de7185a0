/** A minified TypeScript project deployed by wrangler: its errors name files and lines that its author wrote. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

interface LoggedRecord {
  readonly ray: string;
  readonly exceptions: readonly { readonly name: string; readonly message: string; readonly stack: string }[];
  readonly logs: readonly { readonly message: string }[];
}

const INDEX = `import { Checkout } from './checkout';

interface Env {
  readonly MODE: string;
}

export default {
  async fetch(request: Request, _env: Env): Promise<Response> {
    const checkout = new Checkout();
    if (new URL(request.url).pathname === '/logged') {
      try {
        checkout.pay(0);
      } catch (error) {
        console.error('payment failed', new Error('outer', { cause: error }));
      }
      return new Response('logged');
    }
    await checkout.finish();
    return new Response('done');
  },
} satisfies ExportedHandler<Env>;
`;

const CHECKOUT = `type Amount = number;

export class Checkout {
  pay(amount: Amount): void {
    if (amount === 0) throw new RangeError('nothing to pay');
  }

  async finish(): Promise<void> {
    await Promise.resolve();
    refuseEverything('no \\u001b[31mmoney\\n    at index.js:1:1');
  }
}

function refuseEverything(reason: string): never {
  throw new TypeError(reason);
}
`;

describe('Source maps of a project deployed by wrangler', () => {
  let platform: TestPlatform;
  let folder: string;
  let dataDir: string;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'isola-maps-data-'));
    platform = await startTestPlatform(['--data', dataDir]);
    folder = await mkdtemp(join(tmpdir(), 'isola-maps-'));
    await mkdir(join(folder, 'src'));
    await writeFile(join(folder, 'src/checkout.ts'), CHECKOUT);
    await configure({ upload_source_maps: true });
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
    await rm(dataDir, { recursive: true, force: true });
  });

  const configure = async (more: object, index = INDEX): Promise<void> => {
    const config = { name: 'shop', main: 'src/index.ts', compatibility_date: '2026-01-01', minify: true, ...more };
    await writeFile(join(folder, 'wrangler.jsonc'), JSON.stringify(config));
    await writeFile(join(folder, 'src/index.ts'), index);
  };
  /** What the platform tells of one request. */
  const recordOf = async (path: string): Promise<LoggedRecord> => {
    const { headers, text } = await platform.request('shop', path);
    assert.doesNotMatch(text, /checkout|index\.js/, 'visitors see no stack');
    return JSON.parse(await platform.line(new RegExp(`"ray":"${String(headers['x-isola-ray'])}"`))) as LoggedRecord;
  };

  it('name file, line and function of exceptions and of errors that are logged', async () => {
    await platform.deploy(folder);
    const { ray, exceptions } = await recordOf('/');
    const [exception] = exceptions;
    assert.equal(exception?.message, 'no \u001b[31mmoney\n    at index.js:1:1');
    assert.match(
      exception.stack,
      /^TypeError: no \u001b\[31mmoney\n {4}at index\.js:1:1\n {4}at refuseEverything \(src\/checkout\.ts:15:9\)\n {4}at .*finish \(src\/checkout\.ts:10:5\)\n {4}at .*fetch \(src\/index\.ts:18:5\)$/, // oxlint-disable-line no-control-regex -- that is what the Worker threw
    );

    const { logs } = await recordOf('/logged');
    assert.match(
      logs[0]?.message ?? '',
      /^payment failed Error: outer\n {4}at .*fetch \(src\/index\.ts:14:41\)[\s\S]*RangeError: nothing to pay\n +at .*pay \(src\/checkout\.ts:5:29\)/,
    );

    const lines = await readFile(join(dataDir, 'logs', 'invocations.jsonl'), 'utf8');
    assert.match(lines, /^[\n\x20-\x7e]+$/);
    assert.match(lines.split('\n').find((line) => line.includes(ray)) ?? '', /src\/checkout\.ts:15:9/);
  });

  it('are used for a version that does not start, before anything is stored', async () => {
    await configure(
      { upload_source_maps: true },
      `interface A { a: 1 }\n\nconst a = {} as { b: A };\na.b.a;\n${INDEX}`,
    );
    await assert.rejects(
      platform.deploy(folder),
      /Cannot read properties of undefined[\s\S]*src\/index\.ts:4:5[\s\S]*10021/,
    );
  });

  it('are not sent, nor applied, when the project says so', async () => {
    await configure({ upload_source_maps: false });
    await platform.deploy(folder);
    const { exceptions } = await recordOf('/');
    assert.match(exceptions[0]?.stack ?? '', /\n {4}at \w+ \(index\.js:\d+:\d+\)/);
  });
});
