/** Secrets that can be recognised go in by every way there is, and must come out by none but the Worker's own answer. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ApiDocument, listRoutes } from '../fuzz/requests.ts';
import { runIsola } from '../helpers/isola-command.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { toUploadForm } from '../helpers/quick-deploy.ts';
import { Tail } from '../helpers/tail.ts';

const CANARY = 'CaNaRy~4711?that>sings:';
const SCRIPT = '/accounts/main/workers/scripts/cage';
const CODE = `export default { fetch(request, env) {
  console.log('asked', request.url);
  if (request.url.endsWith('/fail')) throw new Error('failed as asked');
  return new Response(JSON.stringify(env));
} }`;
const DOES_NOT_START = 'throw new Error("does not start"); export default {}';

let platform: TestPlatform;
/** What the API and the commands answered, with where. */
const answers: [where: string, text: string][] = [];

before(async () => {
  platform = await startTestPlatform(['--api-rate', '0']);
});
after(() => platform.stop());

async function call(method: string, path: string, body?: FormData | object | string): Promise<unknown> {
  const payload =
    body === undefined || body instanceof FormData || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await platform.control(path, { method, ...(payload !== undefined && { body: payload }) });
  const text = await response.text();
  answers.push([`${method} ${path} (${response.status}) ${JSON.stringify([...response.headers])}`, text]);
  return response.headers.get('content-type')?.includes('json') === true
    ? (JSON.parse(text) as { result?: unknown }).result
    : undefined;
}

/** The canary as text would have it, and within base64 or hex of something longer. */
function spellings(): string[] {
  const bytes = Buffer.from(CANARY);
  // Base64 takes three bytes at a time: it depends on where the canary begins, and its ends on what is beside it.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '')
      .slice(shift === 0 ? 0 : 4, -2),
  );
  const url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const hex = bytes.toString('hex');
  return [
    CANARY,
    encodeURIComponent(CANARY),
    JSON.stringify(CANARY).slice(1, -1),
    ...base64,
    ...url,
    hex,
    hex.toUpperCase(),
  ];
}

function assertNone(where: string, content: string): void {
  for (const spelling of spellings()) assert.ok(!content.includes(spelling), `${where} has ${spelling}`);
}

const bound = (name: string) => ({ type: 'secret_text', name, text: `${CANARY}${name}` });

async function putSecrets(): Promise<void> {
  await call('PUT', SCRIPT, toUploadForm(CODE, [bound('UPLOADED')]));
  await call('PUT', `${SCRIPT}/secrets`, bound('PUT'));
  await call('PATCH', `${SCRIPT}/secrets-bulk`, { secrets: { BULK: bound('BULK') } });
  await call('POST', `${SCRIPT}/versions`, toUploadForm(CODE, [bound('UPLOADED'), bound('VERSION')]));
  const folder = await mkdtemp(join(tmpdir(), 'isola-canary-'));
  try {
    const file = join(folder, 'secrets.json');
    await writeFile(file, JSON.stringify({ FROM_FILE: `${CANARY}FILE` }));
    const printed = await platform.wrangler('examples/hello', ['deploy', '--secrets-file', file]);
    answers.push(['wrangler deploy', printed]);
    answers.push([
      'wrangler secret put',
      await platform.wrangler('examples/hello', ['secret', 'put', 'ASKED'], { input: CANARY }),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Whatever is wrong with a request, its answer does not repeat the secret. */
async function putWrongly(): Promise<void> {
  await call('PUT', SCRIPT, toUploadForm(DOES_NOT_START, [bound('UPLOADED')]));
  await call('PUT', `${SCRIPT}/secrets`, { ...bound('X'), type: 'secret_key' });
  await call('PUT', `${SCRIPT}/secrets`, { ...bound('X'), text: [CANARY] });
  await call('PUT', `${SCRIPT}/secrets`, { ...bound('X'), text: CANARY.repeat(1_000) });
  await call('PUT', `${SCRIPT}/secrets`, `{"name":"X","text":"${CANARY}"`);
  await call('PUT', `${SCRIPT}/secrets`, `"${CANARY}"`);
  await call('PATCH', `${SCRIPT}/secrets-bulk`, { secrets: { X: CANARY } });
  await call('PUT', '/accounts/main/workers/scripts/none/secrets', bound('X'));
  await call('POST', `${SCRIPT}/versions`, toUploadForm(CODE, [{ ...bound('X'), type: 'secret' }]));
  await call('POST', `${SCRIPT}/versions`, toUploadForm(CODE, [{ ...bound('X'), text: { CANARY } }]));
}

async function readEverything(): Promise<void> {
  const document = (await (await fetch(`${platform.controlUrl}/openapi.json`)).json()) as ApiDocument;
  const versions = (await call('GET', `${SCRIPT}/versions`)) as { items: { id: string }[] };
  const deployments = (await call('GET', `${SCRIPT}/deployments`)) as { deployments: { id: string }[] };
  const ids: Record<string, string[]> = {
    account: ['main'],
    name: ['cage', 'hello'],
    version: versions.items.map(({ id }) => id),
    deployment: deployments.deployments.map(({ id }) => id),
    secret: ['UPLOADED', 'PUT', 'NONE'],
  };
  for (const { method, path } of listRoutes(document)) {
    if (method !== 'GET' || !path.startsWith('/client/v4')) continue;
    for (const url of expand(path.slice('/client/v4'.length), ids)) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await call('GET', url);
    }
  }
  answers.push(['isola audit', (await runIsola(platform, ['audit', '--json'])).stdout]);
}

function expand(path: string, ids: Readonly<Record<string, readonly string[]>>): string[] {
  const name = /\{(\w+)\}/.exec(path)?.[1];
  if (name === undefined) return [path];
  return (ids[name] ?? ['x']).flatMap((id) => expand(path.replace(`{${name}}`, id), ids));
}

async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function checkOutside(): Promise<void> {
  for (const [where, text] of answers) assertNone(where, `${where}\n${text}`);
  assertNone('standard output', platform.output.join('\n'));
  assertNone('standard error', platform.errors.join('\n'));
  const files = await filesBelow(platform.dataDir);
  assert.ok(files.some((path) => path.includes('registry.sqlite')) && files.some((path) => path.endsWith('.jsonl')));
  for (const path of files) assertNone(path, (await readFile(path)).toString('latin1'));
}

describe('a secret', () => {
  it('is in no answer of the API, no output, no log and no file, in any of its spellings', async () => {
    await putSecrets();
    await putWrongly();
    await using tail = new Tail(platform, 'examples/hello', ['cage', '--format', 'json']);
    await tail.connected();
    const { status, text } = await platform.request('cage', '/');
    assert.equal(status, 200);
    assert.equal((JSON.parse(text) as Record<string, string>)['BULK'], `${CANARY}BULK`, 'the Worker has it');
    assert.equal((await platform.request('cage', '/fail')).status, 500);
    await platform.line(/failed as asked/);
    await tail.until(({ events }) => events.find(({ outcome }) => outcome === 'exception'));
    answers.push(['wrangler tail', tail.output]);
    await tail.stop();
    await readEverything();
    await checkOutside();
    const { code, stderr } = await runIsola(platform, ['secrets', 'rotate']);
    assert.equal(code, 0, stderr);
    await checkOutside();
    await platform.restart('SIGKILL');
    assert.match((await platform.request('cage', '/')).text, /BULK/);
    await readEverything();
    await checkOutside();
  });

  it('would be found: the search knows plain text, base64 and hex', () => {
    const whole = Buffer.from(`x${CANARY}y`);
    for (const text of [CANARY, whole.toString('base64'), whole.toString('base64url'), whole.toString('hex')]) {
      assert.throws(() => assertNone('text', text));
    }
  });
});
