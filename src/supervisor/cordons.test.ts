import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId, WorkerName } from '../ids.ts';
import { Cordons } from './cordons.ts';

const key = (worker: string, account = 'acme') => ({ account: account as AccountId, worker: worker as WorkerName });

describe('Cordons', () => {
  it('places an account as the operator says, and what of it is in quarantine apart', () => {
    const quarantined: ReturnType<typeof key>[] = [];
    const cordons = new Cordons(() => quarantined);
    assert.equal(cordons.of(key('a')), 'default');
    cordons.set('acme' as AccountId, { cordon: 'trusted' });
    assert.equal(cordons.of(key('a')), 't.trusted');
    cordons.set('acme' as AccountId, { cordon: 'trusted', isolation: 'process' });
    assert.equal(cordons.of(key('a')), 'p.acme');
    quarantined.push(key('a'));
    assert.deepEqual(
      [cordons.of(key('a')), cordons.of(key('b')), cordons.of(key('a', 'other'))],
      ['q.acme', 'p.acme', 'default'],
    );
    assert.equal(cordons.ofTrial(key('new')), 'q.acme');
    assert.deepEqual(cordons.table(), { accounts: [['acme', 'p.acme']], workers: [['acme', 'a', 'q.acme']] });
    cordons.set('acme' as AccountId, { cordon: 'default' });
    assert.equal(cordons.isUsed('p.acme'), false);
    assert.equal(cordons.isUsed('q.acme'), true);
  });

  it('lets no cell have code of another cordon, but what an account in quarantine calls of its own', () => {
    const cordons = new Cordons(() => [key('a')]);
    assert.equal(cordons.mayRun('default', key('a')), false);
    assert.equal(cordons.mayRun('q.acme', key('b')), true);
    assert.equal(cordons.mayRun('q.acme', key('b', 'other')), false);
    assert.equal(cordons.mayRun('default', key('b')), true);
  });

  it('puts all of an account in quarantine with its third Worker', () => {
    const cordons = new Cordons(() => [key('a'), key('b'), key('c')]);
    assert.equal(cordons.of(key('d')), 'q.acme');
    assert.deepEqual(cordons.table().accounts, [['acme', 'q.acme']]);
  });

  it('takes a Worker apart for a profile, also out of quarantine, and puts it back', () => {
    const cordons = new Cordons(() => [key('a')]);
    assert.equal(cordons.openProfile(key('a')), 'f.acme');
    assert.deepEqual([cordons.of(key('a')), cordons.isUsed('f.acme')], ['q.acme', true]);
    cordons.serveProfile(key('a'));
    assert.deepEqual([cordons.of(key('a')), cordons.of(key('b'))], ['f.acme', 'default']);
    assert.deepEqual(cordons.table().workers.at(-1), ['acme', 'a', 'f.acme']);
    assert.equal(cordons.mayRun('f.acme', key('b')), true);
    assert.equal(cordons.mayRun('f.acme', key('a', 'other')), false);
    cordons.closeProfile(key('a'));
    assert.deepEqual([cordons.of(key('a')), cordons.isUsed('f.acme')], ['q.acme', false]);
  });
});
