import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { TAIL_BYTES_PER_SECOND, TAIL_EVENTS_PER_SECOND } from '../limits.ts';
import type { InvocationRecord } from '../model.ts';
import { TailedWorkers } from './tailed-workers.ts';

const A = { account: 'a' as AccountId, worker: 'hello' as WorkerName };
const B = { account: 'b' as AccountId, worker: 'hello' as WorkerName };

describe('TailedWorkers', () => {
  it('admits records of the Workers it was given', () => {
    const tailed = new TailedWorkers();
    assert.equal(tailed.admit(recordOf(A), 0), undefined);
    tailed.set([A]);
    assert.equal(tailed.admit(recordOf(A), 0), 0);
    assert.equal(tailed.admit(recordOf(B), 0), undefined);
    tailed.set([B]);
    assert.equal(tailed.admit(recordOf(A), 0), undefined);
  });

  it('admits so many a second, and then says how many it left out', () => {
    const tailed = new TailedWorkers();
    tailed.set([A, B]);
    for (let count = 0; count < TAIL_EVENTS_PER_SECOND; count++) assert.equal(tailed.admit(recordOf(A), 0), 0);
    assert.equal(tailed.admit(recordOf(A), 0), undefined);
    assert.equal(tailed.admit(recordOf(A), 1), undefined);
    tailed.set([A, B]); // somebody else has begun to tail
    assert.equal(tailed.admit(recordOf(A), 1), undefined);
    assert.equal(tailed.admit(recordOf(B), 1), 0);
    assert.equal(tailed.admit(recordOf(A), 1_000), 3);
    assert.equal(tailed.admit(recordOf(A), 1_000), 0);
  });

  it('admits so many bytes a second', () => {
    const tailed = new TailedWorkers();
    tailed.set([A]);
    const large = recordOf(A, 'x'.repeat(TAIL_BYTES_PER_SECOND / 2));
    assert.equal(tailed.admit(large, 0), 0);
    assert.equal(tailed.admit(large, 0), 0);
    assert.equal(tailed.admit(recordOf(A), 0), undefined);
    assert.equal(tailed.admit(recordOf(A), 100), 1);
  });
});

function recordOf(worker: { account: AccountId; worker: WorkerName }, logged = ''): InvocationRecord {
  return {
    ray: 'ray',
    ...worker,
    version: 'version' as VersionId,
    event: 'fetch',
    outcome: 'ok',
    status: 200,
    cpuUs: 1,
    wallMs: 1,
    at: 0,
    bytesIn: 0,
    bytesOut: 0,
    subrequests: 0,
    memoryBytes: 0,
    cold: false,
    logs: logged === '' ? [] : [{ level: 'log', message: logged, timestamp: 0 }],
    exceptions: [],
    truncated: false,
  };
}
