import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { encodeManifest } from '../assets/index.ts';
import { DEFAULT_CONFIG } from '../assets/testing.ts';
import type { Exchange } from '../channel/index.ts';
import type { AccountId, Sha256, VersionId, WorkerName } from '../ids.ts';
import { openFileBlobs } from '../store/files/index.ts';
import type { Registry, VersionRecord } from '../store/index.ts';
import { createAssetResource } from './asset-resource.ts';

describe('createAssetResource', () => {
  const ask = async (question: { account?: string; id?: string; head?: string }): Promise<string> => {
    const dir = mkdtempSync(join(tmpdir(), 'isola-assets-'));
    try {
      const blobs = openFileBlobs(dir);
      const sha256 = await blobs.put(Buffer.from('home'));
      const file = { sha256, bytes: 4, type: 'text/html' };
      const manifest = await blobs.put(encodeManifest(DEFAULT_CONFIG, new Map([['/index.html', file]])));
      const versions = new Map([
        ['v1', { spec: { account: 'acme', assets: { manifest } } }],
        ['plain', { spec: { account: 'acme' } }],
        ['lost', { spec: { account: 'acme', assets: { manifest: hash('sha256', 'lost', 'hex') as Sha256 } } }],
      ]) as unknown as ReadonlyMap<VersionId, VersionRecord>;
      const registry = { versionById: async (id: VersionId) => versions.get(id) } as unknown as Registry;
      const { promise, resolve } = Promise.withResolvers<string>();
      let ended = 0;
      const exchange = {
        respond: (status: number, _head: string, body: Uint8Array | undefined) =>
          resolve(`${status} ${body === undefined ? '' : Buffer.from(body).toString()}`),
        reset: (_code: number, reason: string) => resolve(`reset ${reason}`),
      } as unknown as Exchange;
      createAssetResource({ registry, blobs })(exchange, {
        kind: 'assets',
        id: 'v1',
        worker: 'site' as WorkerName,
        ray: '',
        head: 'GET\nhttps://site.test/',
        ...question,
        account: (question.account ?? 'acme') as AccountId,
        body: Buffer.alloc(0),
        fin: true,
        onEnd: () => void ended++,
      });
      const answer = await promise;
      assert.equal(ended, 1);
      return answer;
    } finally {
      rmSync(dir, { recursive: true });
    }
  };

  it('answers with the files of the version', async () => {
    assert.equal(await ask({}), '200 home');
    assert.equal(await ask({ head: 'GET\nhttps://any.test/nothing' }), '404 ');
    assert.equal(await ask({ head: 'HEAD\nhttps://site.test/' }), '200 ');
    assert.equal(await ask({ head: 'GET\nhttps://site.test/\nRange\nbytes=1-2' }), '206 om');
  });

  it('answers nobody about the version of another account, or one that has none', async () => {
    const refusal = 'reset The assets cannot be read.';
    assert.equal(await ask({ account: 'other' }), refusal);
    assert.equal(await ask({ id: 'nothing' }), refusal);
    assert.equal(await ask({ id: 'plain' }), refusal);
    assert.equal(await ask({ id: 'lost' }), refusal);
    assert.equal(await ask({ head: 'GET\nno url' }), refusal);
  });
});
