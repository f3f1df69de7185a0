/** React on the server, jose, and WebAssembly with the glue that Rust's and AssemblyScript's tools make. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as jose from 'jose';
import { ROOT } from '../helpers/isola-process.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

const JOSE_CLAIMS = { issuer: 'urn:example:issuer', audience: 'urn:example:audience' };

describe('Libraries', () => {
  let platform: TestPlatform;
  /** What Workers fetch from: by path, what answers. */
  const answers = new Map<string, (response: ServerResponse) => void>();
  let server: Server;

  before(async () => {
    server = createServer((request, response) => {
      const answer = answers.get(request.url ?? '');
      if (answer === undefined) response.writeHead(404).end();
      else answer(response);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    platform = await startTestPlatform(['--allow-private-egress']);
    const first = async (): Promise<void> => {
      await platform.deploy('test/programs/react', ['--var', `COMMENTS_URL:${origin}/comments`]);
      await platform.deploy('test/programs/wasm-bindgen');
    };
    const second = async (): Promise<void> => {
      await platform.deploy('test/programs/jose', ['--var', `JWKS_URL:${origin}/jwks`]);
      await platform.deploy('test/programs/assemblyscript');
    };
    await Promise.all([first(), second()]);
  });
  after(async () => {
    await platform.stop();
    server.close();
    server.closeAllConnections();
  });

  describe('React', () => {
    const comments = ['First!', '<b>bold</b> & "quoted"', 'Grüße 👋'];
    const list = '<ul><li>First!</li><li>&lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot;</li><li>Grüße 👋</li></ul>';

    it('streams the shell, and what it suspends on once that is there', async () => {
      const { promise: shellSeen, resolve: shellIsSeen } = Promise.withResolvers<void>();
      answers.set('/comments/', (response) => void shellSeen.then(() => response.end(JSON.stringify(comments))));
      const incoming = await platform.open('react', '/');
      assert.equal(incoming.statusCode, 200);
      let html = '';
      for await (const chunk of incoming.setEncoding('utf8')) {
        html += chunk as string;
        if (!html.includes('Loading comments')) continue;
        if (!html.includes('First!')) assert.match(html, /^<!DOCTYPE html><html lang="en">.*<title>Page \/<\/title>/);
        shellIsSeen();
      }
      assert.match(html, /<button id="[^"]+" class="dark" style="font-weight:bold">Clicked 0 times<\/button>/);
      assert.match(html, /<script src="\/main.js" id="[^"]+" async=""><\/script>/);
      assert.ok(html.indexOf(list) > html.indexOf('Loading comments'), html);
    });

    it('waits for all of the page where it is asked to', async () => {
      answers.set('/comments/whole', (response) => response.end(JSON.stringify(comments)));
      const { text } = await platform.request('react', '/whole?whole');
      assert.ok(text.includes(list));
      assert.doesNotMatch(text, /Loading comments/);
    });

    it('leaves to the client what fails after the shell', async () => {
      const { status, text } = await platform.request('react', '/no-comments');
      assert.equal(status, 200);
      assert.match(text, /\$RX\("B:0","digest-of-the-error"/);
      assert.doesNotMatch(text, /Comments: 404/);
    });

    it('rejects when the shell fails', async () => {
      const { status, text } = await platform.request('react', '/broken');
      assert.deepEqual([status, text], [500, '<h1>broken on purpose</h1>']);
    });
  });

  describe('jose', () => {
    const post = async (path: string, body: string): Promise<Record<string, unknown>> => {
      const { status, text } = await platform.request('jose', path, { method: 'POST', body });
      assert.equal(status, 200, text);
      return JSON.parse(text) as Record<string, unknown>;
    };
    const get = async (path: string): Promise<Record<string, unknown>> =>
      JSON.parse((await platform.request('jose', path)).text) as Record<string, unknown>;
    const encoding = {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    } as const;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048, ...encoding });
    const pairs = {
      RS256: rsa,
      PS256: rsa,
      ES256: generateKeyPairSync('ec', { namedCurve: 'P-256', ...encoding }),
      ES384: generateKeyPairSync('ec', { namedCurve: 'P-384', ...encoding }),
      EdDSA: generateKeyPairSync('ed25519', encoding),
    };

    for (const [alg, pair] of Object.entries(pairs)) {
      it(`signs and verifies ${alg}, with keys in PEM`, async () => {
        const { token, verified } = await post(`/sign/${alg}`, JSON.stringify(pair));
        assert.deepEqual(verified, { alg, claim: true });
        // So does jose in Node.
        const { payload } = await jose.jwtVerify(
          token as string,
          await jose.importSPKI(pair.publicKey, alg),
          JOSE_CLAIMS,
        );
        assert.equal(payload['urn:example:claim'], true);
      });
    }

    it('signs and verifies HS256, and refuses what is forged or no token', async () => {
      const { token, verified } = await post('/sign/HS256', '');
      assert.deepEqual(verified, { alg: 'HS256', claim: true });
      const [head, , signature] = String(token).split('.');
      const claims = Buffer.from('{"urn:example:claim":false}').toString('base64url');
      const forged = await post('/verify', `${head}.${claims}.${signature}`);
      assert.deepEqual(forged, { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
      assert.deepEqual(await post('/verify', 'nonsense'), { code: 'ERR_JWS_INVALID' });
    });

    for (const alg of ['ES256', 'Ed25519']) {
      it(`makes keys for ${alg}, exports and imports them`, async () => {
        const { verified, jwk, thumbprint } = await get(`/generate/${alg}`);
        assert.deepEqual(verified, { alg, claim: true });
        assert.equal(thumbprint, await jose.calculateJwkThumbprint(jwk as jose.JWK));
      });
    }

    for (const [alg, enc] of [
      ['dir', 'A256GCM'],
      ['A256KW', 'A128CBC-HS256'],
      ['A128GCMKW', 'A128GCM'],
      ['ECDH-ES+A128KW', 'A256GCM'],
      ['PBES2-HS256+A128KW', 'A256GCM'],
    ]) {
      it(`encrypts and decrypts ${alg} with ${enc}`, async () => {
        assert.deepEqual(await get(`/encrypt/${alg}/${enc}`), { parts: 5, hidden: 'yes' });
      });
    }

    it('verifies by the key set that the issuer publishes', async () => {
      const { privateKey, publicKey } = await jose.generateKeyPair('ES256');
      const keys = [{ ...(await jose.exportJWK(publicKey)), kid: 'one', alg: 'ES256' }];
      answers.set('/jwks', (response) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ keys }));
      });
      const sign = (kid: string) =>
        new jose.SignJWT()
          .setProtectedHeader({ alg: 'ES256', kid })
          .setSubject('ada')
          .setIssuer(JOSE_CLAIMS.issuer)
          .setAudience(JOSE_CLAIMS.audience)
          .sign(privateKey);
      const me = async (token: string) => {
        const headers = { authorization: `Bearer ${token}` };
        const { status, text } = await platform.request('jose', '/me', { headers });
        return [status, JSON.parse(text)] as const;
      };
      assert.deepEqual(await me(await sign('one')), [200, { sub: 'ada', kid: 'one' }]);
      assert.deepEqual(await me(await sign('two')), [401, { code: 'ERR_JWKS_NO_MATCHING_KEY' }]);
    });
  });

  describe('Rust by wasm-bindgen', () => {
    const format = (body: string, path = '/') => platform.request('wasm-bindgen', path, { method: 'POST', body });

    it('takes and returns strings and objects', async () => {
      const { status, text } = await format("select a, b from t where x = 'Grüße 👋' and b in (1, 2)");
      assert.equal(status, 200);
      assert.equal(text, "select\n  a,\n  b\nfrom\n  t\nwhere\n  x = 'Grüße 👋'\n  and b in (1, 2)");
      assert.equal((await format('select 1', '/?uppercase')).text, 'SELECT\n  1');
    });

    it('grows its memory', async () => {
      const { status, text } = await format(`select ${'column, '.repeat(2_000)}1`);
      assert.equal(status, 200);
      assert.equal(text.split('\n').length, 2_002);
    });
  });

  describe('AssemblyScript with --bindings', () => {
    const get = async (path: string): Promise<string> => (await platform.request('assemblyscript', path)).text;

    it('takes and returns strings, arrays, objects and big integers', async () => {
      assert.equal(await get('/reverse?text=abc%C3%BC'), 'ücba');
      assert.equal(await get('/words?text=the+quick++brown'), '["brown","quick","the"]');
      assert.equal(await get('/sum?n=1&n=2.5'), '3.5');
      assert.equal(await get('/factorial?n=20'), '2432902008176640000');
      assert.equal(await get('/middle?n=4&n=6'), '{"x":2,"y":3}');
    });

    it('throws what the module throws', async () => {
      assert.equal(await get('/check?n=1'), 'fine');
      const { status, text } = await platform.request('assemblyscript', '/check?n=-1');
      assert.equal(status, 400);
      assert.match(text, /^An age is not negative in assembly\/index\.ts:\d+:\d+$/);
    });

    it('keeps build/ as built from assembly/index.ts', async () => {
      const project = join(ROOT, 'test/programs/assemblyscript');
      const readme = await readFile(join(project, 'README.md'), 'utf8');
      const [, script = '', args = ''] = /^node (\S+) (.*)$/m.exec(readme) ?? [];
      const folder = await mkdtemp(join(tmpdir(), 'isola-wasm-'));
      const built = args.replace('build/', `${folder}/`).split(' ');
      const { stderr, status } = spawnSync(process.execPath, [script, ...built], { cwd: project });
      assert.equal(status, 0, stderr.toString());
      for (const file of ['text.js', 'text.d.ts', 'text.wasm']) {
        const [now, then] = await Promise.all([readFile(join(folder, file)), readFile(join(project, 'build', file))]);
        assert.ok(now.equals(then), 'run the command in test/programs/assemblyscript/README.md');
      }
      await rm(folder, { recursive: true });
    });
  });
});
