import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { readLocalSecrets } from './local-secrets.ts';

describe('readLocalSecrets()', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isola-secrets-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const read = async (files: Readonly<Record<string, string>>, environment?: string) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const { values, from } = await readLocalSecrets(folder, environment);
    return { values, from };
  };

  it('reads .dev.vars: quotes, comments, several lines', async () => {
    assert.deepEqual(await read({ '.dev.vars': '# keys\nA=1\nB = "two words" # yes\nC=\'$A\'\nexport D="x\ny"\n' }), {
      values: { A: '1', B: 'two words', C: '$A', D: 'x\ny' },
      from: ['.dev.vars'],
    });
  });

  it('takes that of the environment in its place, and neither with .env', async () => {
    const files = { '.dev.vars': 'A=1\nB=1', '.dev.vars.live': 'A=2', '.env': 'C=3' };
    assert.deepEqual((await read(files, 'live')).values, { A: '2' });
    assert.deepEqual((await read(files, 'other')).values, { A: '1', B: '1' });
  });

  it('adds .env files up and expands what they refer to', async () => {
    const files = {
      '.env': 'A=1\nB=1\nURL="http://${HOST}/${PORT:-80}$A"\nCOST="\\$5"',
      '.env.local': 'B=2\nHOST=here',
      '.env.live': 'A=3',
      '.env.live.local': 'D=4',
    };
    assert.deepEqual(await read(files), {
      values: { A: '1', B: '2', URL: 'http://here/801', COST: '$5', HOST: 'here' },
      from: ['.env', '.env.local'],
    });
    const { values } = await read(files, 'live');
    assert.deepEqual([values['A'], values['D']], ['3', '4']);
  });

  it('is empty where there are no files', async () => {
    assert.deepEqual(await read({}), { values: {}, from: [] });
  });
});
