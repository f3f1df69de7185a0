import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Sha256, VersionId } from '../ids.ts';
import { HELLO, MAIN, openTestControl, type TestControl } from './testing.ts';

const SCRIPT = '/workers/scripts/hello';

const codeOf = (name: string): Record<string, string> => ({ 'index.js': `export default { name: '${name}' }` });

/** Uploads of different code, the first deployed. Resolves with their ids, once what was too old is gone. */
async function upload(control: TestControl, count: number): Promise<VersionId[]> {
  const ids: VersionId[] = [];
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      await control.upload(SCRIPT, { modules: codeOf('0') });
      ids.push((await control.registry.listVersions(MAIN, HELLO))[0]!.spec.id);
    } else {
      const { status, result } = await control.upload(`${SCRIPT}/versions`, { modules: codeOf(String(i)) });
      assert.equal(status, 200);
      ids.push(result.id);
    }
    await control.retention.idle();
  }
  return ids;
}

async function stored(control: TestControl): Promise<Sha256[]> {
  const all: Sha256[] = [];
  for await (const some of control.blobs.list()) all.push(...some);
  return all.toSorted();
}

async function referred(control: TestControl): Promise<Sha256[]> {
  const versions = await control.registry.listVersions(MAIN, HELLO, { limit: 1_000 });
  return [...new Set(versions.flatMap(({ modules }) => modules.map(({ sha256 }) => sha256)))].toSorted();
}

describe('old versions', () => {
  it('stay up to the number, and go past it with their code', async () => {
    await using control = await openTestControl({ keep: { versions: 4, bytes: Infinity } });
    const ids = await upload(control, 4);
    assert.equal((await stored(control)).length, 4, 'at the limit');
    const { id: fifth } = (await control.upload(`${SCRIPT}/versions`, { modules: codeOf('5') })).result;
    await control.retention.idle();
    const listed = (await control.request('GET', `${SCRIPT}/versions`)).result.items;
    assert.deepEqual(
      listed.map(({ id, number }: { id: string; number: number }) => [id, number]),
      [
        [fifth, 5],
        [ids[3], 4],
        [ids[2], 3],
        [ids[0], 1],
      ],
      'the first one is deployed',
    );
    assert.deepEqual(await stored(control), await referred(control));
    assert.deepEqual(control.platform.previewed.at(-1), 'main/hello');
  });

  it('stay up to the size, and go past it', async () => {
    const bytes = codeOf('0')['index.js']!.length;
    await using control = await openTestControl({ keep: { versions: Infinity, bytes: 3 * bytes } });
    const ids = await upload(control, 3);
    // A secret's version is the same code: it counts nothing.
    const secret = { env: { A: { type: 'secret_text', text: 'x' } } };
    assert.equal((await control.request('PATCH', '/workers/workers/hello/versions/latest', secret)).status, 200);
    await control.retention.idle();
    assert.deepEqual(
      (await control.registry.listVersions(MAIN, HELLO)).map(({ spec }) => spec.id).slice(1),
      ids.toReversed(),
    );
    await control.upload(`${SCRIPT}/versions`, { modules: codeOf('3') });
    await control.retention.idle();
    const left = await control.registry.listVersions(MAIN, HELLO);
    assert.deepEqual(
      left.map(({ number }) => number),
      [5, 4, 3, 1],
    );
  });

  it('that are gone answer as if they had never been', async () => {
    await using control = await openTestControl({ keep: { versions: 2, bytes: Infinity } });
    const ids = await upload(control, 3);
    const gone = ids[1];
    const never = '00000000-0000-4000-8000-000000000000';
    const answers = async (id: string | undefined) => {
      const share = { versions: [{ version_id: id, percentage: 100 }] };
      const all = [
        await control.request('GET', `${SCRIPT}/versions/${id}`),
        await control.request('POST', `${SCRIPT}/deployments`, share),
        await control.request('POST', `${SCRIPT}/isola/rollback`, { version_id: id }),
      ];
      return all.map(({ status, errors }) => [
        status,
        errors[0]?.code,
        errors[0]?.message.replaceAll(String(id), 'ID'),
      ]);
    };
    const found = await answers(gone);
    assert.deepEqual(found, await answers(never));
    assert.deepEqual(
      found.map(([status, code]) => [status, code]),
      Array.from({ length: 3 }, () => [404, 10100]),
    );
  });

  it('that a rollback goes to stay, and every deployment that is listed has its versions', async () => {
    await using control = await openTestControl({ keep: { versions: 1, bytes: Infinity } });
    for (let i = 0; i < 4; i++) {
      await control.upload(SCRIPT, { modules: codeOf(String(i)) });
      await control.retention.idle();
    }
    const { deployments } = (await control.request('GET', `${SCRIPT}/deployments`)).result;
    assert.equal(deployments.length, 2);
    for (const { versions } of deployments) {
      assert.equal((await control.request('GET', `${SCRIPT}/versions/${versions[0].version_id}`)).status, 200);
    }
    const rolledBack = await control.request('POST', `${SCRIPT}/isola/rollback`, {});
    assert.equal(rolledBack.status, 200);
    assert.equal(rolledBack.result.versions[0].version_id, deployments[1].versions[0].version_id);
  });
});

describe('blobs', () => {
  it('of a Worker or an account that is deleted go, but for those that others have', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {
      modules: { ...codeOf('own'), 'shared.txt': { type: 'text/plain', content: 'shared' } },
    });
    await control.upload('/workers/scripts/other', {
      modules: { ...codeOf('other'), 'shared.txt': { type: 'text/plain', content: 'shared' } },
    });
    assert.equal((await stored(control)).length, 3);
    assert.equal((await control.request('DELETE', SCRIPT)).status, 200);
    await control.retention.idle();
    assert.equal((await stored(control)).length, 2);
  });

  it('of uploads that were refused, and what a crash left, go at the start', async () => {
    await using control = await openTestControl({ keep: { versions: 2, bytes: Infinity } });
    await upload(control, 2);
    await control.blobs.put(Buffer.from('left by a crash'));
    await control.housekeeping.trimVersions(MAIN, { versions: 0, bytes: 0 }); // rows are gone, files are there
    await control.retention.sweepSoon();
    await control.retention.idle();
    assert.deepEqual(await stored(control), await referred(control));
  });

  it('are never lost by uploads of the same code beside a collection', async () => {
    await using control = await openTestControl({ keep: { versions: 1, bytes: Infinity } });
    await control.upload(SCRIPT, { modules: codeOf('first') });
    const state = { uploading: true };
    const sweep = async (): Promise<void> => {
      while (state.uploading) {
        await control.retention.sweepSoon();
        await control.retention.idle();
      }
    };
    const uploads = async (): Promise<void> => {
      for (let round = 0; round < 15; round++) {
        // Of two codes in turn, by several Workers: what one has just lost another one finds to be there.
        const modules = codeOf(String(round % 2));
        const names = ['hello', 'two', 'three'];
        await Promise.all(names.map((name) => control.upload(`/workers/scripts/${name}`, { modules })));
        for (const name of names) {
          const [newest] = await control.registry.listVersions(MAIN, name as never);
          for (const { sha256 } of newest!.modules) assert.equal(await control.blobs.has(sha256), true, name);
        }
        if (round % 3 === 0)
          await Promise.all(names.map((name) => control.request('DELETE', `/workers/scripts/${name}`)));
      }
      state.uploading = false;
    };
    await Promise.all([sweep(), uploads()]);
    assert.deepEqual(control.logged, []);
  });
});
