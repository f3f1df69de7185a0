import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Sha256 } from '../../ids.ts';
import { blobsContract } from '../blobs-contract.ts';
import { openFileBlobs } from './file-blobs.ts';

blobsContract('openFileBlobs', () => {
  const dir = makeFolder();
  return { blobs: openFileBlobs(dir), dispose: () => rmSync(dir, { recursive: true }) };
});

describe('openFileBlobs', () => {
  it('finds what an earlier opening stored, and clears its left-over temporary files', async (t) => {
    const dir = makeFolder();
    t.after(() => rmSync(dir, { recursive: true }));
    const sha256 = await openFileBlobs(dir).put(Buffer.from('kept'));
    writeFileSync(join(dir, 'tmp', 'left-over'), 'half');
    const blobs = openFileBlobs(dir);
    assert.equal(Buffer.from((await blobs.get(sha256))!).toString(), 'kept');
    assert.deepEqual(readdirSync(join(dir, 'tmp')), []);
  });

  it('get() throws when the file was changed behind its back', async (t) => {
    const dir = makeFolder();
    t.after(() => rmSync(dir, { recursive: true }));
    const blobs = openFileBlobs(dir);
    const sha256 = await blobs.put(Buffer.from('right'));
    writeFileSync(join(dir, sha256.slice(0, 2), sha256), 'wrong');
    await assert.rejects(blobs.get(sha256), /its content has another hash/);
  });

  it('get() throws on what is not a hash rather than make a path of it', async (t) => {
    const dir = makeFolder();
    t.after(() => rmSync(dir, { recursive: true }));
    await assert.rejects(openFileBlobs(dir).get('../../etc/passwd' as Sha256), /Not a SHA-256/);
  });
});

function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'isola-blobs-'));
}
