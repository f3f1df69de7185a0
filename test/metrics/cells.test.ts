import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

interface Cell {
  readonly id: string;
  readonly pid: number;
  readonly memory_bytes: number;
  readonly spares: number;
  readonly instances: number;
  readonly restarts_total: number;
  readonly isolates: readonly Isolate[];
  readonly events: readonly { readonly kind: string; readonly at: string }[];
}

interface Isolate {
  readonly account: string;
  readonly worker: string;
  readonly memory_bytes: number;
  readonly requests_last_second: number;
  readonly cpu_us_last_second: number;
  readonly idle_ms: number;
  readonly age_ms: number;
}

describe('The cells, as the control API shows them', () => {
  let platform: TestPlatform;

  before(async () => {
    platform = await startTestPlatform(['--cells', '1', '--api-rate', '0']);
    await deployCode(platform, 'hello', HELLO);
    await platform.control('/accounts/other/isola/account', { method: 'PUT', body: '{}' });
    await deployCode({ account: 'other', control: (path, init) => platform.control(path, init) }, 'theirs', HELLO);
  });
  after(() => platform.stop());

  it('have each isolate with its memory and what it did in the last second', async () => {
    const hello = await until(async () => {
      await platform.request('hello', '/');
      const isolate = (await cells())[0]?.isolates.find(({ worker }) => worker === 'hello');
      return isolate !== undefined && isolate.requests_last_second > 0 && isolate.memory_bytes > 0
        ? isolate
        : undefined;
    });
    assert.equal(hello.account, 'main');
    assert.ok(hello.cpu_us_last_second > 0);
    assert.ok(hello.memory_bytes > 1_000_000 && hello.memory_bytes < 50_000_000, `${hello.memory_bytes}`);
    assert.ok(hello.age_ms >= hello.idle_ms);
    const [cell] = await cells();
    assert.deepEqual([cell!.id, cell!.restarts_total, cell!.instances], ['c0', 0, 2]);
    assert.ok(cell!.memory_bytes > 20_000_000);
    await until(async () => ((await cells())[0]!.spares > 0 ? true : undefined));
  });

  it('show an account what is its own', async () => {
    const own = await until(async () => {
      const [cell] = await cells('/accounts/other');
      return cell;
    });
    assert.deepEqual(
      own.isolates.map(({ account, worker }) => [account, worker]),
      [['other', 'theirs']],
    );
    assert.deepEqual([own.pid, own.memory_bytes], [undefined, undefined]);
    const made = await platform.control('/accounts/other/isola/tokens', {
      method: 'POST',
      body: JSON.stringify({ name: 'reader', scopes: ['workers:read'] }),
    });
    const { result } = (await made.json()) as { result: { token: string } };
    const headers = { authorization: `Bearer ${result.token}` };
    const ask = async (path: string) => (await fetch(`${platform.controlUrl}/client/v4${path}`, { headers })).status;
    assert.equal(await ask('/accounts/other/isola/cells'), 200);
    assert.equal(await ask('/isola/cells'), 403);
    assert.equal(await ask('/accounts/main/isola/cells'), 404);
  });

  it('tell that one was restarted', async () => {
    const [old] = await cells();
    process.kill(old!.pid, 'SIGKILL');
    const cell = await until(async () => {
      const [found] = await cells();
      return found !== undefined && found.pid !== old!.pid && found.pid !== null ? found : undefined;
    });
    assert.deepEqual([cell.id, cell.restarts_total, cell.isolates], ['c0', 1, []]);
    assert.equal(cell.events[0]?.kind, 'restarted');
    await platform.request('hello', '/');
    await until(async () => ((await cells())[0]!.isolates.length === 1 ? true : undefined));
  });

  async function cells(below = ''): Promise<Cell[]> {
    const response = await platform.control(`${below}/isola/cells`);
    assert.equal(response.status, 200);
    return ((await response.json()) as { result: Cell[] }).result;
  }
});

const HELLO = 'export default { fetch: () => new Response("hello") }';

/** Asks again, one round trip after another, until there is an answer. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline;) {
    const found = await ask();
    if (found !== undefined) return found;
  }
  throw new Error('It did not happen within 30 s');
}
