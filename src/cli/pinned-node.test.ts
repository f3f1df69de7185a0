import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compareNode, PINNED_NODE } from './pinned-node.ts';
import { ROOT } from './version.ts';

const RELEASED = Date.parse(PINNED_NODE.released);
const DAY = 86_400_000;

describe('compareNode()', () => {
  it('knows the Node that is pinned', () => {
    const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      optionalDependencies: Record<string, string>;
    };
    for (const version of Object.values(optionalDependencies)) assert.equal(version, PINNED_NODE.node);
    if (process.versions.node === PINNED_NODE.node) assert.equal(process.versions.v8, PINNED_NODE.v8);
  });

  it('tells the age of the pinned one, and when that is too much', () => {
    const young = compareNode(PINNED_NODE, RELEASED + 90 * DAY);
    assert.deepEqual([young.ok, young.isOld], [true, false]);
    assert.match(young.detail, /90 days old$/);
    const old = compareNode(PINNED_NODE, RELEASED + 91 * DAY);
    assert.deepEqual([old.ok, old.isOld], [true, true]);
    assert.match(old.detail, /91 days old: look for a newer isola/);
  });

  it('refuses an older V8 and takes a newer one', () => {
    const older = compareNode({ node: '26.9.0', v8: '14.6.202.33-node.40' }, RELEASED);
    assert.equal(older.ok, false);
    assert.match(older.detail, /is older than/);
    assert.equal(compareNode({ node: '26.11.0', v8: '14.6.202.34-node.35' }, RELEASED).ok, true);
    assert.equal(compareNode({ node: '27.0.0', v8: '15.0.1' }, RELEASED).ok, true);
  });
});
