import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { Previews } from './previews.ts';
import type { PreviewList } from './protocol.ts';
import type { PreviewCandidate, WorkerRoute } from './routes.ts';

const V1 = '11111111-0000-4000-8000-000000000001' as VersionId;
const V2 = '22222222-0000-4000-8000-000000000002' as VersionId;
const V2_TWIN = '22222222-0000-4000-8000-000000000003' as VersionId;

function routeOf(worker: string): WorkerRoute {
  return {
    account: 'acme' as AccountId,
    worker: worker as WorkerName,
    cordon: 'default',
    hash: 1,
    version: V1,
    weights: undefined,
    assets: undefined,
    hidden: true,
    previews: true,
  };
}

function candidate(label: string, worker = 'hello'): PreviewCandidate {
  return { route: routeOf(worker), label };
}

describe('Previews', () => {
  const open = (list: PreviewList): { previews: Previews; asked: string[] } => {
    const asked: string[] = [];
    const previews = new Previews(async (_account, worker) => {
      asked.push(worker);
      return list;
    });
    return { previews, asked };
  };

  it('finds a version by the beginning of its id, of twins the newest, and by an alias', async () => {
    const { previews } = open({ versions: [V2_TWIN, V2, V1], aliases: [['staging', V1]] });
    assert.equal((await previews.find([candidate('11111111')]))?.version, V1);
    assert.equal((await previews.find([candidate('22222222')]))?.version, V2_TWIN);
    assert.equal((await previews.find([candidate('staging')]))?.version, V1);
    assert.equal(await previews.find([candidate('nothing')]), undefined);
    assert.equal(await previews.find([candidate('1111111')]), undefined);
  });

  it('asks once for a Worker, however many names are tried at once and after', async () => {
    const { previews, asked } = open({ versions: [V1], aliases: [] });
    await Promise.all(Array.from({ length: 500 }, (_, n) => previews.find([candidate(`try-${n}`)])));
    for (let n = 0; n < 500; n++) await previews.find([candidate(`again-${n}`)]);
    assert.deepEqual(asked, ['hello']);
  });

  it('forget() makes it ask again, also when an answer is under way', async () => {
    const answers: ((list: PreviewList) => void)[] = [];
    const previews = new Previews(() => new Promise((resolve) => answers.push(resolve)));
    const early = previews.find([candidate('11111111')]);
    previews.forget('acme' as AccountId, 'hello' as WorkerName);
    const late = previews.find([candidate('22222222')]);
    answers[0]?.({ versions: [V1], aliases: [] });
    answers[1]?.({ versions: [V2, V1], aliases: [] });
    assert.equal((await early)?.version, V1);
    assert.equal((await late)?.version, V2);
    assert.equal((await previews.find([candidate('22222222')]))?.version, V2);
    assert.equal(answers.length, 2);
  });

  it('asks for 64 Workers at once, and refuses the next', async () => {
    const previews = new Previews(() => new Promise(() => {}));
    for (let n = 0; n < 64; n++) void previews.find([candidate('x', `w${n}`)]);
    await assert.rejects(previews.find([candidate('x', 'one-more')]), /64 are under way/);
  });

  it('passes a failure on, and asks again after it', async () => {
    let fails = true;
    const previews = new Previews(async () => {
      if (fails) throw new Error('gone');
      return { versions: [V1], aliases: [] };
    });
    await assert.rejects(previews.find([candidate('11111111')]), /gone/);
    fails = false;
    assert.equal((await previews.find([candidate('11111111')]))?.version, V1);
  });
});
