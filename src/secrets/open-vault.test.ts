import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { AccountId, WorkerName } from '../ids.ts';
import type { Binding } from '../model.ts';
import type { SecretKeys } from '../store/index.ts';
import { openSqliteStores } from '../store/sqlite/index.ts';
import { parseKeySource } from './key-source.ts';
import { openVault } from './open-vault.ts';
import type { Vault } from './vault.ts';

const OWNER = { account: 'main' as AccountId, worker: 'hello' as WorkerName };
const SECRETS: readonly Binding[] = [{ type: 'secret_text', name: 'A', text: 'canary' }];
const HEX = randomBytes(32).toString('hex');

async function prepare(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'isola-secrets-'));
  const { registry, secretKeys, close } = openSqliteStores(':memory:');
  await registry.putAccount({ id: OWNER.account, name: 'Main', createdOn: new Date(0).toISOString() });
  t.after(async () => {
    await close();
    rmSync(dir, { recursive: true });
  });
  const created: string[] = [];
  const openDefault = (): Promise<Vault> =>
    openVault({
      keys: secretKeys,
      source: { kind: 'file', value: join(dir, 'secrets-key') },
      mayCreate: true,
      onCreated: (path) => created.push(path),
    });
  return { dir, keys: secretKeys, created, openDefault };
}

function openWith(keys: SecretKeys, source: string, old?: string): Promise<Vault> {
  return openVault({
    keys,
    source: parseKeySource(source),
    oldSource: old === undefined ? undefined : parseKeySource(old),
    mayCreate: false,
    onCreated: assert.fail,
  });
}

describe('openVault', () => {
  it('makes a key file at the first start that only its owner can read, and says so once', async (t) => {
    const { dir, created, openDefault } = await prepare(t);
    const sealed = await (await openDefault()).seal(OWNER, SECRETS);
    assert.deepEqual(await (await openDefault()).open(OWNER, sealed), SECRETS);
    const path = join(dir, 'secrets-key');
    assert.deepEqual(created, [path]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(Buffer.from(readFileSync(path, 'utf8'), 'base64').byteLength, 32);
  });

  it('makes no new key when the file is gone: it refuses to start', async (t) => {
    const { dir, openDefault } = await prepare(t);
    await openDefault();
    rmSync(join(dir, 'secrets-key'));
    await assert.rejects(openDefault(), /need the master key with the id [0-9a-f]{16}, and .*secrets-key is gone/);
    assert.equal(existsSync(join(dir, 'secrets-key')), false);
  });

  for (const [how, source] of [
    ['a file with hex', 'file'],
    ['an environment variable', 'env:ISOLA_TEST_KEY'],
    ['a command', `command:printf %s ${HEX}`],
  ] as const) {
    it(`takes the key from ${how}`, async (t) => {
      const { dir, keys } = await prepare(t);
      process.env['ISOLA_TEST_KEY'] = Buffer.from(HEX, 'hex').toString('base64');
      writeFileSync(join(dir, 'key'), `${HEX.toUpperCase()}\n`);
      const vault = await openWith(keys, source === 'file' ? `file:${join(dir, 'key')}` : source);
      assert.deepEqual(await vault.open(OWNER, await vault.seal(OWNER, SECRETS)), SECRETS);
      if (source.startsWith('env')) assert.equal(process.env['ISOLA_TEST_KEY'], undefined, 'no child inherits it');
      const again = await openWith(keys, `command:echo ${HEX}`);
      assert.equal(again.masterKeyId, vault.masterKeyId);
    });
  }

  it('refuses another key, and changes nothing', async (t) => {
    const { keys } = await prepare(t);
    const vault = await openWith(keys, `command:echo ${HEX}`);
    const sealed = await vault.seal(OWNER, SECRETS);
    const other = randomBytes(32).toString('hex');
    await assert.rejects(openWith(keys, `command:echo ${other}`), {
      kind: 'secretsKey',
      message: /Nothing was changed/,
    });
    await assert.rejects(openWith(keys, `command:echo ${other}`, `command:echo ${other}`), /and the old one/);
    assert.deepEqual(await (await openWith(keys, `command:echo ${HEX}`)).open(OWNER, sealed), SECRETS);
  });

  it('goes over to another key when the old one is given too; again is fine', async (t) => {
    const { keys } = await prepare(t);
    const sealed = await (await openWith(keys, `command:echo ${HEX}`)).seal(OWNER, SECRETS);
    const next = randomBytes(32).toString('base64');
    for (let start = 0; start < 2; start++) {
      const vault = await openWith(keys, `command:echo ${next}`, `command:echo ${HEX}`);
      assert.deepEqual(await vault.open(OWNER, sealed), SECRETS);
    }
    await assert.rejects(openWith(keys, `command:echo ${HEX}`), /need the master key/);
  });

  for (const [source, message] of [
    ['command:echo canary-of-31-bytes', /the output of the command has no key: it must be 32 bytes/],
    ['command:echo canary; exit 3', /the command ended with 3/],
    ['env:ISOLA_NOT_SET', /there is no environment variable ISOLA_NOT_SET/],
    ['file:/nowhere/key', /\/nowhere\/key cannot be read \(ENOENT\)/],
    ['vault:x', /the source must be file:PATH, env:NAME or command:…/],
  ] as const) {
    it(`refuses ${source} without telling what was read`, async (t) => {
      const { keys } = await prepare(t);
      await assert.rejects(
        async () => openWith(keys, source),
        (error: Error) => message.test(error.message) && !/canary/.test(error.message + String(error.cause)),
      );
    });
  }
});
