/** `node:crypto` in a Worker, against Node itself. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Runtime } from '../../src/index.ts';
import { compare, openRuntime } from './harness.ts';

const pems = (type: 'ec' | 'ed25519' | 'rsa') => {
  const options = {
    modulusLength: 2048,
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  };
  return generateKeyPairSync(type as 'rsa', options as never) as unknown as { publicKey: string; privateKey: string };
};
const KEYS = { rsa: pems('rsa'), ec: pems('ec'), ed25519: pems('ed25519') };

const IMPORTS = `
  import crypto, { createHash, createHmac, createCipheriv, createDecipheriv, createSign, createVerify, sign, verify, createPrivateKey, createPublicKey, createSecretKey, pbkdf2, pbkdf2Sync, scrypt, scryptSync, hkdfSync, timingSafeEqual, randomBytes, randomInt, randomUUID, randomFillSync, generateKeyPairSync, generateKeyPair, publicEncrypt, privateDecrypt, diffieHellman, constants } from 'node:crypto';
  import { Buffer } from 'node:buffer';
  import { promisify } from 'node:util';
  import { pipeline } from 'node:stream/promises';
  import { Readable } from 'node:stream';
  const KEYS = ${JSON.stringify(KEYS)};`;

describe('node:crypto in a Worker, as in Node:', { timeout: 60_000 }, () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await openRuntime();
  });
  after(() => runtime.close());

  it('hashes and HMACs', async () => {
    await compare(runtime, IMPORTS, {
      short: `return ['md5', 'sha1', 'sha256', 'sha384', 'sha512', 'sha3-256', 'RSA-SHA256', 'SHA256'].map((a) => createHash(a).update('h\\u00e9').update(Buffer.from([1, 2])).digest('hex'));`,
      long: `const h = createHash('sha256'); for (let i = 0; i < 9; i++) h.update(Buffer.alloc(50_000, i)); const c = h.copy(); h.update('x'); return [h.digest('base64'), c.digest('base64url'), createHash('sha1').update(Buffer.alloc(300_000, 7)).digest('hex')];`,
      copies: `const a = createHash('sha256').update('a'); const b = a.copy().update('b'); return [a.digest(), b.digest(), createHash('sha256').digest('hex'), createHash('shake128', { outputLength: 8 }).update('x').digest('hex'), crypto.hash('sha1', 'abc'), createHash('sha256').update('6162', 'hex').digest('latin1')];`,
      hmac: `return [createHmac('sha256', 'key').update('data').digest('hex'), createHmac('sha512', Buffer.alloc(200, 1)).update('d').update('e').digest('base64'), createHmac('sha1', createSecretKey(Buffer.from('k'))).update('').digest('hex'), createHmac('sha256', '').update(Buffer.alloc(200_000)).digest('hex')];`,
      errors: `const done = createHash('sha1'); done.digest(); return [() => createHash('nope').name, () => createHash(5), () => createHash('sha1').update(5), () => done.update('x'), () => done.digest(), () => createHmac('sha1'), () => createHmac('nope', 'x')].map((f) => { const e = attempt(f); return [e.name, e.code === 'ERR_OSSL_EVP_UNSUPPORTED' ? '' : e.code ?? '', /Received|already|Invalid digest/.exec(e.message)?.[0]]; });`,
      streams: `const h = createHash('sha256'); await pipeline(Readable.from([Buffer.from('ab'), Buffer.from('c')]), h); const piped = createHash('sha256'); Readable.from([Buffer.from('abc')]).pipe(piped).setEncoding('hex'); const text = await new Promise((r) => piped.on('data', r)); return [h.digest?.call ? h.read()?.toString('hex') : 0, text];`,
      equal: `return [timingSafeEqual(Buffer.from('a'), Buffer.from('a')), timingSafeEqual(new Uint8Array([1]), Buffer.from([2])), attempt(() => timingSafeEqual(Buffer.alloc(1), Buffer.alloc(2)))];`,
    });
  });

  it('keys from passwords', async () => {
    await compare(runtime, IMPORTS, {
      sync: `return [pbkdf2Sync('pw', 'salt', 100, 32, 'sha256'), pbkdf2Sync(Buffer.from('pw'), 's', 1000, 64, 'sha512'), scryptSync('pw', 'salt', 32, { N: 512, r: 4, p: 1 }), Buffer.from(hkdfSync('sha256', 'key', 'salt', 'info', 42))];`,
      async: `return [await promisify(pbkdf2)('pw', 'salt', 100_000, 32, 'sha256'), await promisify(scrypt)('pw', 'salt', 64), await promisify(scrypt)('pw', 'salt', 16, { cost: 1024, blockSize: 8, parallelization: 2 })];`,
      errors: `return [attempt(() => pbkdf2Sync('a', 'b', 0, 1, 'sha1')), attempt(() => pbkdf2Sync('a', 'b', 1, 1, 5)), attempt(() => pbkdf2Sync('a', 'b', 1, -1, 'sha1'))].map((e) => [e.name, e.code]);`,
    });
  });

  it('ciphers', async () => {
    await compare(runtime, IMPORTS, {
      all: `const out = []; for (const [name, key, iv] of [['aes-256-cbc', 32, 16], ['aes-128-ctr', 16, 16], ['aes-192-ecb', 24, 0], ['aes-256-gcm', 32, 12], ['chacha20-poly1305', 32, 12]]) { const k = Buffer.alloc(key, 3), v = iv ? Buffer.alloc(iv, 4) : null; const options = name.includes('poly') ? { authTagLength: 16 } : undefined; const aead = /gcm|poly/.test(name); const c = createCipheriv(name, k, v, options); if (aead) c.setAAD(Buffer.from('aad'), { plaintextLength: 11 }); const text = c.update('hello', 'utf8', 'hex') + c.update('\\u{1F600} x').toString('hex') + c.final('hex'); const tag = aead ? c.getAuthTag() : null; const d = createDecipheriv(name, k, v, options); if (aead) { d.setAAD(Buffer.from('aad'), { plaintextLength: 11 }); d.setAuthTag(tag); } out.push(text, tag, d.update(text, 'hex', 'utf8') + d.final('utf8')); } return out;`,
      big: `const c = createCipheriv('aes-256-cbc', Buffer.alloc(32), Buffer.alloc(16)); const bytes = Buffer.concat([c.update(Buffer.alloc(400_000, 1)), c.final()]); return createHash('sha1').update(bytes).digest('hex');`,
      bare: `const c = createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)).setAutoPadding(false); return Buffer.concat([c.update(Buffer.alloc(32)), c.final()]);`,
      wrong: `const d = createDecipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12)); d.setAuthTag(Buffer.alloc(16)); d.update('ab', 'hex'); return [attempt(() => d.final()).name, attempt(() => createCipheriv('aes-256-cbc', 'short', Buffer.alloc(16))), attempt(() => createCipheriv('aes-256-cbc', Buffer.alloc(32), Buffer.alloc(3)))].map((e) => e.message ? [e.name, e.code, e.message] : e);`,
      piped: `const c = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)); const out = []; await pipeline(Readable.from([Buffer.from('ab'), Buffer.from('cd')]), c, async (s) => { for await (const x of s) out.push(x); }); return Buffer.concat(out);`,
    });
  });

  it('signatures and keys', async () => {
    await compare(runtime, IMPORTS, {
      deterministic: `return [createSign('RSA-SHA256').update('a').update('b').sign(KEYS.rsa.privateKey, 'base64'), sign(null, Buffer.from('m'), KEYS.ed25519.privateKey), sign('sha512', Buffer.from('m'), createPrivateKey(KEYS.rsa.privateKey))];`,
      verified: `const pss = { key: KEYS.rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }; const s = sign('sha256', Buffer.from('m'), pss); const e = createSign('SHA256').update('m').sign({ key: KEYS.ec.privateKey, dsaEncoding: 'ieee-p1363' }); return [verify('sha256', Buffer.from('m'), { ...pss, key: KEYS.rsa.publicKey }, s), e.length, createVerify('SHA256').update('m').verify({ key: KEYS.ec.publicKey, dsaEncoding: 'ieee-p1363' }, e), createVerify('SHA256').update('n').verify(KEYS.ec.publicKey, e), verify(null, Buffer.from('m'), KEYS.ed25519.publicKey, sign(null, Buffer.from('m'), KEYS.ed25519.privateKey)), await promisify(verify)('sha256', Buffer.from('x'), KEYS.rsa.publicKey, Buffer.alloc(256))];`,
      objects: `const p = createPrivateKey(KEYS.rsa.privateKey); const q = createPublicKey(p); const ec = createPublicKey(KEYS.ec.publicKey); const secret = createSecretKey('abc', 'utf8'); const jwk = q.export({ format: 'jwk' }); return [p.type, p.asymmetricKeyType, p.asymmetricKeyDetails, q.type, q.export({ type: 'spki', format: 'pem' }) === KEYS.rsa.publicKey, ec.asymmetricKeyDetails, secret.symmetricKeySize, secret.export(), secret.export({ format: 'jwk' }), jwk, createPublicKey({ key: jwk, format: 'jwk' }).equals(q), createPrivateKey({ key: p.export({ format: 'der', type: 'pkcs1' }), format: 'der', type: 'pkcs1' }).equals(p), p.export({ format: 'der', type: 'pkcs8' })];`,
      generated: `const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' }); const made = await promisify(generateKeyPair)('ed25519', { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } }).catch((e) => e); const x = generateKeyPairSync('x25519'), y = generateKeyPairSync('x25519'); return [publicKey.type, verify('sha256', Buffer.from('m'), publicKey, sign('sha256', Buffer.from('m'), privateKey)), diffieHellman({ privateKey: x.privateKey, publicKey: y.publicKey }).equals(diffieHellman({ privateKey: y.privateKey, publicKey: x.publicKey }))];`,
      encrypted: `const c = publicEncrypt({ key: KEYS.rsa.publicKey, oaepHash: 'sha256' }, Buffer.from('secret')); return [c.length, privateDecrypt({ key: KEYS.rsa.privateKey, oaepHash: 'sha256' }, c).toString(), attempt(() => privateDecrypt(KEYS.rsa.privateKey, Buffer.alloc(256))) instanceof Error];`,
    });
  });

  it('random values', async () => {
    await compare(runtime, IMPORTS, {
      shapes: `const seen = new Set(Array.from({ length: 200 }, () => randomInt(3, 6))); return [randomBytes(16).length, randomBytes(100_000).length, (await promisify(randomBytes)(8)).length, [...seen].sort(), /^[0-9a-f-]{36}$/.test(randomUUID()), randomFillSync(Buffer.alloc(8), 4).subarray(0, 4), Buffer.isBuffer(randomBytes(1)), attempt(() => randomInt(5, 5)), attempt(() => randomBytes(-1)), typeof await promisify(randomInt)(9), typeof crypto.webcrypto, crypto.getHashes().includes('sha256'), crypto.constants.RSA_PKCS1_PSS_PADDING];`,
    });
  });

  it('refuses what would keep everybody waiting, and too many at once', async () => {
    await runtime.deploy('limits', {
      compatibilityFlags: ['nodejs_compat'],
      limits: { cpuMs: 5_000 },
      modules: {
        'index.js': `
          import crypto from 'node:crypto';
          const attempt = (run) => { try { return run(); } catch (error) { return error.message; } };
          export default {
            async fetch() {
              const open = [];
              const many = attempt(() => { for (;;) { const hash = crypto.createHash('md5'); hash.update(Buffer.alloc(70_000)); open.push(hash); } });
              return Response.json([
                attempt(() => crypto.pbkdf2Sync('a', 'b', 1_000_000, 32, 'sha256')),
                attempt(() => crypto.scryptSync('a', 'b', 32)),
                attempt(() => crypto.scryptSync('a', 'b', 32, { N: 2 ** 20, r: 8 })),
                attempt(() => crypto.generateKeyPairSync('rsa', { modulusLength: 4096 })),
                await new Promise((resolve) => crypto.pbkdf2('a', 'b', 2 ** 31 - 1, 32, 'sha256', (error) => resolve(error.message))),
                open.length, many,
              ]);
            },
          };`,
      },
    });
    const response = await runtime.fetch('limits', new Request('https://worker.test/'));
    const answer = (await response.json()) as unknown[];
    const expected = [
      /takes about 500 ms/,
      /takes about \d+ ms/,
      /memory, the limit is/,
      /takes too long/,
      /may take 1000/,
    ];
    for (const [i, pattern] of expected.entries()) assert.match(answer[i] as string, pattern);
    assert.deepEqual(answer.slice(5), [512, 'Too many hashes and ciphers under way: a Worker may have 512']);
  });
});
