/** The command line as a user types it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { spawnIsola } from '../helpers/isola-process.ts';

async function isola(...args: string[]): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const child = spawnIsola(args);
  const { code } = await child.exited;
  const toText = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
  return { stdout: toText(child.stdout), stderr: toText(child.stderr), code };
}

describe('isola', () => {
  it('lists its commands, without one and with --help', async () => {
    const { stdout, code } = await isola();
    assert.equal(code, 0);
    for (const name of ['serve', 'start', 'dev', 'account', 'token', 'audit', 'test', 'bench', 'doctor', 'version']) {
      assert.match(stdout, new RegExp(`^  ${name} +\\S`, 'm'));
    }
    assert.equal((await isola('--help')).stdout, stdout);
  });

  it('tells its version', async () => {
    assert.match((await isola('version')).stdout, /^isola \d+\.\d+\.\d+ \(node 26\.\d+\.\d+, v8 /);
  });

  it('has help with examples for every command', async () => {
    for (const name of ['serve', 'start', 'dev', 'audit', 'test', 'bench', 'doctor', 'version']) {
      // oxlint-disable-next-line no-await-in-loop -- two cores: one after the other is as fast
      const { stdout, code } = await isola(name, '--help');
      assert.equal(code, 0);
      assert.match(stdout, /Usage[\s\S]*Options[\s\S]*Examples\n {2}\S/, name);
    }
  });

  it('answers a wrong line with code 2, one line on standard error, nothing on standard output', async () => {
    const cases: readonly (readonly [string[], string])[] = [
      [['srve'], "error: Unknown command 'srve'. Did you mean isola serve?\n"],
      [['serve', '--prot', '1'], 'error: Unknown option --prot of isola serve. Did you mean --port?\n'],
      [['account', 'lsit'], "error: Unknown command 'account lsit'. Did you mean isola account list?\n"],
      [['token', 'revoke'], 'error: isola token revoke takes one argument: isola token revoke <id>\n'],
      [['serve', '--cells', '0'], 'error: Cannot use --cells 0: must be an integer from 1 to 256\n'],
      [
        ['serve', '--port', '5', '--control-port', '5'],
        "error: Cannot use --control-port 5: it is the gateway's --port; they must differ\n",
      ],
      [['dev', '--port', '99999'], 'error: Cannot use --port 99999: must be an integer from 0 to 65535\n'],
    ];
    for (const [args, message] of cases) {
      // oxlint-disable-next-line no-await-in-loop -- as above
      assert.deepEqual(await isola(...args), { stdout: '', stderr: message, code: 2 });
    }
  });

  it('doctor tells the layers of confinement, those that lack with the remedy, and the age of V8', async () => {
    const { stdout } = await isola('doctor', '--port', '0', '--control-port', '0');
    assert.match(stdout, /\n. v8 +\d+\.\d+.* as pinned; of \d{4}-\d\d-\d\d, \d+ days old/);
    assert.match(
      stdout,
      /\nCells are confined by: (bubblewrap|jail|off)\n. namespaces .*\n. filter 1 .*\n. filter 2 .*\n. permissions .*\n. own uid .*\n. rlimits .*\n. memory /,
    );
    assert.match(
      stdout,
      /\nOn every machine:\n. isolates .*\n. limits +50 ms CPU.*\n. cordons .*\n. side channels .*\n. egress .*\n. ingress /,
    );
    const off = await isola('doctor', '--port', '0', '--control-port', '0', '--sandbox', 'off', '--require-sandbox');
    assert.equal(off.code, 1);
    assert.match(off.stdout, /\n! filter 2 +--sandbox off; to have it, leave the option out\n/);
  });

  it('doctor finds this machine fit, and a port that is taken', async () => {
    assert.match((await isola('doctor', '--port', '0', '--control-port', '0')).stdout, /✔ isolated-vm .*\n✔ snapshot/);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { stdout, code } = await isola('doctor', '--port', String(port), '--control-port', '0');
    server.close();
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`✖ port ${port} +in use on 127.0.0.1`));
  });
});
