import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CommandError } from './command-error.ts';
import { callControl, toControlTarget } from './control-client.ts';

const CALL = { attempt: 'Cannot list', method: 'GET', path: 'accounts' } as const;

describe('callControl()', () => {
  it('says when nothing answers', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const target = { controlUrl: `http://127.0.0.1:${port}`, token: 'x' };
    await assert.rejects(callControl(target, CALL), /Cannot list: nothing answers at http:\/\/127.0.0.1:\d+; is isola/);
  });

  it('shows what the server said, without what would steer a terminal', async (t) => {
    let body = JSON.stringify({ success: false, errors: [{ code: 7, message: 'no \u001b[2Jsuch \u202ething' }] });
    const server = createServer((_request, response) => response.end(body)).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const target = { controlUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'x' };
    await assert.rejects(
      callControl(target, CALL),
      new CommandError('Cannot list: no \uFFFD[2Jsuch \uFFFDthing [code 7]'),
    );
    body = '<html>\u0007';
    await assert.rejects(callControl(target, CALL), /GET \/client\/v4\/accounts answered 200: <html>\uFFFD/);
  });
});

describe('toControlTarget()', () => {
  it('takes the token of the environment, else that of the data folder', (t) => {
    const data = mkdtempSync(join(tmpdir(), 'isola-target-'));
    t.after(() => rmSync(data, { recursive: true }));
    const before = process.env['ISOLA_ADMIN_TOKEN'];
    t.after(() => {
      if (before === undefined) delete process.env['ISOLA_ADMIN_TOKEN'];
      else process.env['ISOLA_ADMIN_TOKEN'] = before;
    });
    delete process.env['ISOLA_ADMIN_TOKEN'];
    const url = 'http://127.0.0.1:8788';
    assert.throws(() => toControlTarget({ url, data }), /admin-token: name the server's data folder by --data/);
    writeFileSync(join(data, 'admin-token'), 'kept\n');
    assert.deepEqual(toControlTarget({ url, data }), { controlUrl: url, token: 'kept' });
    process.env['ISOLA_ADMIN_TOKEN'] = 'given';
    assert.equal(toControlTarget({ url, data }).token, 'given');
  });
});
