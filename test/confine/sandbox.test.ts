/** Cells as the platform starts them: what the kernel says of their processes, and that they serve. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { spawnIsola } from '../helpers/isola-process.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { hasOwnUid } from './own-uid.ts';

// Not by wrangler, which writes into the checkout: these tests are for ordinary users, too.
const HELLO = 'export default { fetch: () => new Response("hello") }';
const WITHOUT = { ISOLA_BWRAP: '/nowhere/bwrap' };
const PORTS = ['--port', '0', '--control-port', '0'];
const GONE_MS = 10_000;
const isLinux = process.platform === 'linux';
const hasBubblewrap = isLinux && canRunBubblewrap();
const skipBubblewrap = hasBubblewrap ? false : 'NOT TESTED: bubblewrap does not run here (apt-get install bubblewrap)';

describe('a cell in bubblewrap', { skip: skipBubblewrap }, () => {
  it('serves from a room without network, files, privileges or other processes', async () => {
    await using platform = await startTestPlatform(['--cells', '2', '--require-sandbox']);
    await deployCode(platform, 'hello', HELLO);
    assert.equal((await platform.request('hello', '/')).status, 200);
    const pids = cellPids(platform);
    const states = pids.map(readStatus);
    for (const [at, status] of states.entries()) {
      assert.match(status.NSpid ?? '', /^\d+\s+1$/); // PID 1 of a namespace
      for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        assert.match(status[name] ?? '', /^0+$/, name);
      assert.equal(status.NoNewPrivs, '1');
      assert.equal(status.Seccomp, '2');
      assert.equal(status.Seccomp_filters, '2');
      assert.equal(status.Groups, '');
      const pid = pids[at];
      const networks = readFileSync(`/proc/${pid}/net/dev`, 'utf8')
        .match(/^\s*(\S+):/gm)
        ?.map((name) => name.trim());
      assert.deepEqual(networks, ['lo:']);
      for (const kind of ['user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup']) {
        assert.notEqual(readlinkSync(`/proc/${pid}/ns/${kind}`), readlinkSync(`/proc/self/ns/${kind}`), kind);
      }
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n');
      for (const mount of mounts.filter((line) => !line.includes(' /proc '))) assert.match(mount, / ro,nosuid,nodev/);
      assert.match(
        readFileSync(`/proc/${pid}/limits`, 'utf8'),
        /Max core file size +0 +0 [\s\S]*Max open files +4096 +4096 /,
      );
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        // Its root is opened by Node's libuv; with the second filter nothing can be opened from there.
        assert.match(
          readlinkSync(`/proc/${pid}/fd/${fd}`),
          /^(socket|pipe|anon_inode):|^\/dev\/null$|^\/proc\/1\/task$|^\/$/,
        );
      }
    }
    if (hasOwnUid) {
      const uids = states.map((status) => Number((status.Uid ?? '').split(/\s+/)[0]));
      assert.ok(
        uids.every((uid) => uid >= 64_000),
        'its uid is nobody else’s',
      );
      assert.equal(new Set(uids).size, uids.length, 'each cell has its own');
    }
  });

  it('ends with the supervisor, whatever happens to that', async () => {
    await using platform = await startTestPlatform(['--cells', '1']);
    const [pid = 0] = cellPids(platform);
    await platform.restart('SIGKILL');
    // The new platform owns the data folder, which takes the old one to be gone; its cell goes with it.
    await gone(pid);
  });
});

/** Rejects when the process is there for long. The kernel tells nobody but its parent of its end. */
async function gone(pid: number): Promise<void> {
  const deadline = performance.now() + GONE_MS;
  while (existsSync(`/proc/${pid}/exe`)) {
    if (performance.now() > deadline) throw new Error(`Process ${pid} is still there`);
    // oxlint-disable-next-line no-await-in-loop -- it is asked again and again
    await setImmediate();
  }
}

describe('a cell in the jail', { skip: isLinux ? false : 'NOT TESTED: there is no jail but on Linux' }, () => {
  it('serves behind both filters, with a loud warning, where there is no bubblewrap', async () => {
    await using platform = await startTestPlatform(['--cells', '1'], { env: WITHOUT });
    await deployCode(platform, 'hello', HELLO);
    assert.equal((await platform.request('hello', '/')).status, 200);
    const [pid = 0] = cellPids(platform);
    const status = readStatus(pid);
    assert.equal(status.Seccomp_filters, '2');
    assert.equal(status.NoNewPrivs, '1');
    const warning = platform.output.find(
      (line) => line.includes('"event":"warning"') && line.includes('system call filters alone'),
    );
    assert.match(warning ?? '', /bwrap is not installed.*apt-get install bubblewrap/);
  });

  it('is not enough for --require-sandbox: refused with what is missing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'isola-sandbox-'));
    const server = spawnIsola(['serve', ...PORTS, '--require-sandbox', '--data', join(folder, 'data')], WITHOUT);
    assert.deepEqual(await server.exited, { code: 1, signal: null });
    assert.match(
      server.stderr.join('\n'),
      /^error: Cannot confine cells with bubblewrap, which --require-sandbox asks for: no bubblewrap \(bwrap is not installed; to have it, install it: apt-get install bubblewrap\)/,
    );
    await rm(folder, { recursive: true });
  });
});

describe('a cell without a sandbox', () => {
  it('serves, and the operator is told what that means', async () => {
    await using platform = await startTestPlatform(['--cells', '1', '--sandbox', 'off']);
    await deployCode(platform, 'hello', HELLO);
    assert.equal((await platform.request('hello', '/')).status, 200);
    assert.ok(platform.output.some((line) => line.includes('CELLS ARE NOT CONFINED')));
  });
});

function cellPids(platform: TestPlatform): number[] {
  const ready = platform.output.filter((line) => line.includes('"event":"cell-ready"'));
  return ready.map((line) => (JSON.parse(line) as { pid: number }).pid);
}

function readStatus(pid: number): Record<string, string | undefined> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

function canRunBubblewrap(): boolean {
  try {
    execFileSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
