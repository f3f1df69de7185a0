import assert from 'node:assert/strict';
import { createHash, createHmac, webcrypto } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { createRuntime, type Runtime, type WorkerLimits } from '../index.ts';
import { MAX_ARGON2_MEMORY_KIB, MAX_CRYPTO_HANDLES, MAX_KEY_DATA_BYTES, MAX_PBKDF2_ROUNDS } from '../limits.ts';

const LIMITS: Partial<WorkerLimits> = { cpuMs: 20_000 };

/** What tests use inside their Workers. */
const HELPERS = `
  const { subtle } = crypto;
  const bytes = (text) => new TextEncoder().encode(text);
  const hex = (buffer) => new Uint8Array(buffer).toHex();
  const failure = (promise) => promise.then(() => 'fulfilled', (error) => error.name + ': ' + error.message);
  const nameOf = (promise) => promise.then(() => 'fulfilled', (error) => error.name);`;

describe('crypto of a Worker', () => {
  let runtime: Runtime;
  let deployed = 0;

  before(async () => {
    runtime = await createRuntime();
  });
  after(() => runtime.close());

  const deploy = async (body: string, limits = LIMITS, helpers = HELPERS): Promise<string> => {
    const name = `crypto-${++deployed}`;
    const code = `${helpers}\nexport default { async fetch(request) { ${body} } }`;
    await runtime.deploy(name, { modules: { 'index.js': code }, limits });
    return name;
  };
  const call = async (name: string): Promise<unknown> => {
    const response = await runtime.fetch(name, new Request(`http://${name}/`));
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text) as unknown;
  };
  /** The result of a function body in a Worker of its own. */
  const run = async (body: string, limits?: Partial<WorkerLimits>): Promise<unknown> =>
    call(await deploy(`return Response.json(await (async () => { ${body} })())`, limits));

  describe('subtle', () => {
    it('digests as Node does, short and long', async () => {
      const names = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'SHA3-256', 'SHA3-384', 'SHA3-512'];
      const digests = await run(`
        const long = new Uint8Array(100_000).fill(7);
        const all = [];
        for (const name of ${JSON.stringify(names)}) {
          all.push(hex(await subtle.digest(name.toLowerCase(), bytes('abc'))), hex(await subtle.digest({ name }, long)));
        }
        return all`);
      const long = new Uint8Array(100_000).fill(7);
      const expected = names.flatMap((name) => {
        const digest = (data: string | Uint8Array) =>
          createHash(name.replace('SHA-', 'sha').toLowerCase()).update(data).digest('hex');
        return [digest('abc'), digest(long)];
      });
      assert.deepEqual(digests, expected);
    });

    it('signs and verifies with each family, and tells a wrong signature', async () => {
      const verdicts = await run(`
        const rsa = { modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
        const cases = [
          [{ name: 'HMAC', hash: 'SHA-512' }, 'HMAC'],
          [{ name: 'KMAC128' }, { name: 'KMAC128', outputLength: 256 }],
          [{ name: 'ECDSA', namedCurve: 'P-384' }, { name: 'ECDSA', hash: 'SHA-384' }],
          ['Ed25519', 'Ed25519'],
          ['Ed448', { name: 'Ed448' }],
          ['ML-DSA-44', { name: 'ML-DSA-44', context: bytes('context') }],
          [{ name: 'RSASSA-PKCS1-v1_5', ...rsa }, 'RSASSA-PKCS1-v1_5'],
          [{ name: 'RSA-PSS', ...rsa }, { name: 'RSA-PSS', saltLength: 20 }],
        ];
        const verdicts = [];
        for (const [generation, use] of cases) {
          const made = await subtle.generateKey(generation, false, ['sign', 'verify']);
          const [signing, verifying] = made.privateKey ? [made.privateKey, made.publicKey] : [made, made];
          const signature = await subtle.sign(use, signing, bytes('data'));
          verdicts.push(
            await subtle.verify(use, verifying, signature, bytes('data')),
            await subtle.verify(use, verifying, signature, bytes('other')),
          );
        }
        return verdicts`);
      assert.deepEqual(
        verdicts,
        Array.from({ length: 16 }, (_, index) => index % 2 === 0),
      );
    });

    it('encrypts and decrypts with each cipher', async () => {
      const texts = await run(`
        const rsa = { name: 'RSA-OAEP', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-1' };
        const iv = (length) => ({ iv: new Uint8Array(length) });
        const cases = [
          [{ name: 'AES-CBC', length: 128 }, { name: 'AES-CBC', ...iv(16) }],
          [{ name: 'AES-CTR', length: 192 }, { name: 'AES-CTR', counter: new Uint8Array(16), length: 64 }],
          [{ name: 'AES-GCM', length: 256 }, { name: 'AES-GCM', ...iv(12), additionalData: bytes('more'), tagLength: 96 }],
          [{ name: 'AES-OCB', length: 256 }, { name: 'AES-OCB', ...iv(15) }],
          ['ChaCha20-Poly1305', { name: 'ChaCha20-Poly1305', ...iv(12) }],
          [rsa, { name: 'RSA-OAEP', label: bytes('label') }],
        ];
        const texts = [];
        for (const [generation, use] of cases) {
          const made = await subtle.generateKey(generation, false, ['encrypt', 'decrypt']);
          const secret = await subtle.encrypt(use, made.publicKey ?? made, bytes('secret'));
          texts.push(new TextDecoder().decode(await subtle.decrypt(use, made.privateKey ?? made, secret)));
        }
        return texts`);
      assert.deepEqual(texts, Array(6).fill('secret'));
    });

    it('derives bits and keys as Node does', async () => {
      const derived = await run(`
        const pairs = await Promise.all([1, 2].map(() => subtle.generateKey('X25519', false, ['deriveBits'])));
        const [one, other] = await Promise.all([0, 1].map((i) =>
          subtle.deriveBits({ name: 'X25519', public: pairs[1 - i].publicKey }, pairs[i].privateKey, 256)));
        const base = (name) => subtle.importKey('raw-secret', bytes('password'), name, false, ['deriveBits', 'deriveKey']);
        const salt = bytes('salt salt');
        const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 1000 };
        const key = await subtle.deriveKey(pbkdf2, await base('PBKDF2'), { name: 'AES-GCM', length: 256 }, true, ['encrypt']);
        return [
          hex(one) === hex(other),
          hex(await subtle.deriveBits(pbkdf2, await base('PBKDF2'), 256)),
          hex(await subtle.exportKey('raw', key)),
          hex(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-512', salt, info: bytes('info') }, await base('HKDF'), 128)),
          hex(await subtle.deriveBits({ name: 'Argon2id', nonce: salt, memory: 64, passes: 2, parallelism: 1 }, await base('Argon2id'), 128)),
        ]`);
      const { subtle } = webcrypto;
      const encoder = new TextEncoder();
      const salt = encoder.encode('salt salt');
      const derive = async (algorithm: { readonly name: string; [key: string]: unknown }, length: number) => {
        const format = 'raw-secret' as 'raw';
        const key = await subtle.importKey(format, encoder.encode('password'), algorithm.name, false, ['deriveBits']);
        return Buffer.from(await subtle.deriveBits(algorithm, key, length)).toString('hex');
      };
      const pbkdf2 = await derive({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 1000 }, 256);
      assert.deepEqual(derived, [
        true,
        pbkdf2,
        pbkdf2,
        await derive({ name: 'HKDF', hash: 'SHA-512', salt, info: encoder.encode('info') }, 128),
        await derive({ name: 'Argon2id', nonce: salt, memory: 64, passes: 2, parallelism: 1 }, 128),
      ]);
    });

    it('encapsulates secrets and keys', async () => {
      const same = await run(`
        const usages = ['encapsulateBits', 'decapsulateBits', 'encapsulateKey', 'decapsulateKey'];
        const { publicKey, privateKey } = await subtle.generateKey('ML-KEM-768', false, usages);
        const bits = await subtle.encapsulateBits('ML-KEM-768', publicKey);
        const aes = [{ name: 'AES-GCM' }, true, ['encrypt']];
        const key = await subtle.encapsulateKey('ML-KEM-768', publicKey, ...aes);
        const back = await subtle.decapsulateKey('ML-KEM-768', privateKey, key.ciphertext, ...aes);
        return [
          hex(bits.sharedKey) === hex(await subtle.decapsulateBits('ML-KEM-768', privateKey, bits.ciphertext)),
          hex(await subtle.exportKey('raw', key.sharedKey)) === hex(await subtle.exportKey('raw', back)),
          bits.sharedKey.byteLength, bits.ciphertext.byteLength,
        ]`);
      assert.deepEqual(same, [true, true, 32, 1088]);
    });

    it('keeps keys through every format', async () => {
      const results = await run(`
        const results = [];
        const roundTrip = async (key, formats, algorithm) => {
          for (const format of formats) {
            const data = await subtle.exportKey(format, key);
            const again = await subtle.importKey(format, data, algorithm, true, key.usages);
            const text = (value) => (format === 'jwk' ? JSON.stringify(value) : hex(value));
            results.push(text(data) === text(await subtle.exportKey(format, again)));
          }
        };
        const ec = { name: 'ECDSA', namedCurve: 'P-256' };
        const pair = await subtle.generateKey(ec, true, ['sign', 'verify']);
        await roundTrip(pair.publicKey, ['raw', 'spki', 'jwk'], ec);
        await roundTrip(pair.privateKey, ['pkcs8', 'jwk'], ec);
        const pss = { name: 'RSA-PSS', hash: 'SHA-256' };
        const rsa = await subtle.generateKey({ ...pss, modulusLength: 1024, publicExponent: new Uint8Array([3]) }, true, ['sign', 'verify']);
        await roundTrip(rsa.publicKey, ['spki', 'jwk'], pss);
        await roundTrip(rsa.privateKey, ['pkcs8', 'jwk'], pss);
        const dsa = await subtle.generateKey('ML-DSA-65', true, ['sign', 'verify']);
        await roundTrip(dsa.publicKey, ['raw-public', 'jwk'], 'ML-DSA-65');
        await roundTrip(dsa.privateKey, ['raw-seed', 'pkcs8'], 'ML-DSA-65');
        await roundTrip(await subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']), ['raw', 'jwk'], 'AES-GCM');
        const public_ = await subtle.getPublicKey(pair.privateKey, ['verify']);
        results.push(hex(await subtle.exportKey('raw', public_)) === hex(await subtle.exportKey('raw', pair.publicKey)));
        return results`);
      assert.deepEqual(results, Array(16).fill(true));
    });

    it('wraps keys and unwraps them, AES-KW and by a cipher', async () => {
      const results = await run(`
        const results = [];
        const secret = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
        const wrappers = [
          [{ name: 'AES-KW', length: 256 }, 'AES-KW'],
          [{ name: 'AES-GCM', length: 256 }, { name: 'AES-GCM', iv: new Uint8Array(12) }],
        ];
        for (const [generation, use] of wrappers) {
          const wrapper = await subtle.generateKey(generation, false, ['wrapKey', 'unwrapKey']);
          for (const format of ['raw', 'jwk']) {
            const wrapped = await subtle.wrapKey(format, secret, wrapper, use);
            const key = await subtle.unwrapKey(format, wrapped, wrapper, use, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
            results.push(hex(await subtle.exportKey('raw', key)) === hex(await subtle.exportKey('raw', secret)));
          }
        }
        return results`);
      assert.deepEqual(results, [true, true, true, true]);
    });

    it('says what it supports', async () => {
      const verdicts = await run(`
        const { supports } = SubtleCrypto;
        return [
          SubtleCrypto.supports('digest', 'SHA3-256'),
          SubtleCrypto.supports('digest', 'MD5'),
          SubtleCrypto.supports('generateKey', { name: 'AES-GCM', length: 100 }),
          SubtleCrypto.supports('deriveKey', { name: 'HKDF', hash: 'SHA-256', salt: bytes(''), info: bytes('') }, { name: 'AES-GCM', length: 256 }),
          SubtleCrypto.supports('__proto__', 'AES-GCM'),
        ]`);
      assert.deepEqual(verdicts, [true, false, false, true, false]);
    });

    it('compares in constant time, and only what is of one length', async () => {
      const verdicts = await run(`
        const verdict = (a, b) => { try { return subtle.timingSafeEqual(a, b); } catch (error) { return error.name; } };
        return [
          verdict(bytes('same'), bytes('same').buffer), verdict(bytes('same'), bytes('some')),
          verdict(bytes('a'), bytes('ab')), verdict('a', 'a'),
        ]`);
      assert.deepEqual(verdicts, [true, false, 'TypeError', 'TypeError']);
    });

    it('digests while modules are evaluated', async () => {
      const name = await deploy(
        'return Response.json(top)',
        LIMITS,
        `const top = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(0))).toHex();`,
      );
      assert.equal(await call(name), createHash('sha256').digest('hex'));
    });
  });

  describe('CryptoKey', () => {
    it('shows what is public of it, the same objects each time, and cannot be made', async () => {
      const shown = await run(`
        const key = await subtle.importKey('raw', bytes('secret'), { name: 'HMAC', hash: 'SHA-1' }, false, ['verify', 'sign', 'verify']);
        const rsa = await subtle.generateKey({ name: 'RSA-PSS', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, false, ['sign', 'verify']);
        const make = () => { try { new CryptoKey(); } catch (error) { return error.name + ': ' + error.message; } };
        return {
          type: key.type, extractable: key.extractable, algorithm: key.algorithm, usages: key.usages,
          same: key.algorithm === key.algorithm && key.usages === key.usages,
          text: String(key), made: make(), own: Reflect.ownKeys(key).length,
          exponent: [rsa.publicKey.algorithm.publicExponent instanceof Uint8Array, [...rsa.publicKey.algorithm.publicExponent]],
          types: [rsa.publicKey.type, rsa.publicKey.extractable, rsa.privateKey.type, rsa.privateKey.extractable],
        }`);
      assert.deepEqual(shown, {
        type: 'secret',
        extractable: false,
        algorithm: { name: 'HMAC', length: 48, hash: { name: 'SHA-1' } },
        usages: ['sign', 'verify'],
        same: true,
        text: '[object CryptoKey]',
        made: 'TypeError: Illegal constructor',
        own: 0,
        exponent: [true, [1, 0, 1]],
        types: ['public', true, 'private', false],
      });
    });

    it('that is not extractable stays where it is, whatever is done to its public face', async () => {
      const refusals = await run(`
        const key = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);
        const wrapper = await subtle.generateKey({ name: 'AES-KW', length: 256 }, true, ['wrapKey']);
        Object.defineProperty(key, 'extractable', { value: true });
        Object.defineProperty(CryptoKey.prototype, 'extractable', { value: true });
        key.usages.push('decrypt');
        key.algorithm.name = 'AES-CBC';
        return [
          await nameOf(subtle.exportKey('raw', key)), await nameOf(subtle.exportKey('jwk', key)),
          await nameOf(subtle.wrapKey('raw', key, wrapper, 'AES-KW')),
          await nameOf(subtle.wrapKey('raw', structuredClone(key), wrapper, 'AES-KW')),
          await nameOf(subtle.decrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, key, new Uint8Array(32))),
          await nameOf(subtle.encrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, key, new Uint8Array(32))),
        ]`);
      assert.deepEqual(refusals, Array(6).fill('InvalidAccessError'));
    });

    it('is cloned with its material', async () => {
      const results = await run(`
        const key = await subtle.importKey('raw', bytes('secret'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
        const { copy } = structuredClone({ copy: key });
        return [copy !== key, copy instanceof CryptoKey, copy.algorithm !== key.algorithm, copy.algorithm,
          hex(await subtle.sign('HMAC', key, bytes('a'))) === hex(await subtle.sign('HMAC', copy, bytes('a')))]`);
      assert.deepEqual(results, [true, true, true, { name: 'HMAC', length: 48, hash: { name: 'SHA-256' } }, true]);
    });

    it('is not taken from an imposter', async () => {
      const refusals = await run(`
        const fake = Object.create(CryptoKey.prototype);
        const key = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']);
        return [
          await nameOf(subtle.exportKey('raw', fake)), await nameOf(subtle.exportKey('raw', new Proxy(key, {}))),
          await nameOf(subtle.exportKey('raw', { id: 1 })),
        ]`);
      assert.deepEqual(refusals, Array(3).fill('TypeError'));
    });
  });

  describe('hostile input', () => {
    it('is read once, in the standard’s order, and data after that', async () => {
      const seen = await run(`
        const reads = [];
        const spy = (object) => new Proxy(object, { get(target, key) { reads.push(String(key)); return target[key]; } });
        const key = await subtle.importKey('raw', bytes('password'), 'PBKDF2', false, ['deriveBits']);
        await subtle.deriveBits(spy({ name: 'PBKDF2', hash: 'SHA-1', salt: bytes('salt'), iterations: 2 }), key, 128);
        const data = bytes('abc');
        const algorithm = { get name() { data.fill(0); return 'SHA-256'; } };
        const digest = subtle.digest(algorithm, data);
        data.fill(1);
        return { reads, digest: hex(await digest) }`);
      assert.deepEqual(seen, {
        reads: ['name', 'hash', 'iterations', 'salt'],
        digest: createHash('sha256').update(new Uint8Array(3)).digest('hex'),
      });
    });

    it('fails as Web IDL and the standard say', async () => {
      const names = await run(`
        const detached = new Uint8Array(8);
        structuredClone(detached, { transfer: [detached.buffer] });
        const hmac = { name: 'HMAC', hash: 'SHA-256' };
        const thrower = { get name() { throw new RangeError('mine'); } };
        const endless = { *[Symbol.iterator]() { for (;;) yield 'sign'; } };
        return [
          await nameOf(subtle.digest('SHA-256')), await nameOf(subtle.digest('SHA-256', 'text')),
          await nameOf(subtle.digest('MD5', bytes(''))), await nameOf(subtle.digest(null, bytes(''))),
          await nameOf(subtle.digest(thrower, bytes(''))), await nameOf(subtle.digest({}, bytes(''))),
          await nameOf(subtle.digest.call({}, 'SHA-256', bytes(''))),
          hex(await subtle.digest('SHA-256', detached)).slice(0, 8),
          await nameOf(subtle.importKey('raw', bytes('a'), hmac, false, ['fly'])),
          await nameOf(subtle.importKey('raw', bytes('a'), hmac, false, [])),
          await nameOf(subtle.importKey('raw', bytes('a'), hmac, false, endless)),
          await nameOf(subtle.importKey('raw', bytes('a'), hmac, false, ['encrypt'])),
          await nameOf(subtle.importKey('pem', bytes('a'), hmac, false, ['sign'])),
          await nameOf(subtle.importKey('spki', bytes('a'), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])),
          await nameOf(subtle.importKey('jwk', { kty: Symbol() }, hmac, false, ['sign'])),
          await nameOf(subtle.importKey('jwk', JSON.parse('{"kty":"oct","k":"AA","__proto__":{"alg":"none"}}'), hmac, false, ['sign'])),
          await nameOf(subtle.generateKey({ name: 'AES-GCM', length: 99 }, false, ['encrypt'])),
          await nameOf(subtle.generateKey({ name: 'AES-GCM', length: 2 ** 40 }, false, ['encrypt'])),
          await nameOf(subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-1' }, false, ['sign'])),
        ]`);
      assert.deepEqual(names, [
        ...words('TypeError TypeError NotSupportedError NotSupportedError RangeError TypeError TypeError'),
        createHash('sha256').digest('hex').slice(0, 8),
        ...words('TypeError SyntaxError TypeError SyntaxError TypeError DataError TypeError fulfilled'),
        ...words('OperationError TypeError NotSupportedError'),
      ]);
    });

    it('neither breaks nor observes the runtime by built-ins that it has replaced', async () => {
      const results = await call(
        await deploy(
          'return Response.json(await answer())',
          LIMITS,
          `let seen = 0;
           const spy = () => { seen++; throw new Error('seen'); };
           const { toHex } = Uint8Array.prototype;
           // What a tenant gives as a sequence is iterated as the tenant says.
           const { values } = Array.prototype;
           const { defineProperty } = Object;
           const list = (...items) => defineProperty(items, Symbol.iterator, { value: values });
           const encode = TextEncoder.prototype.encode.bind(new TextEncoder());
           Array.prototype[Symbol.iterator] = Array.prototype.push = Promise.prototype.then = Promise.resolve = spy;
           Array.prototype.toJSON = Map.prototype.get = Set.prototype.has = WeakSet.prototype.add = spy;
           FinalizationRegistry.prototype.register = Object.hasOwn = Object.keys = JSON.stringify = JSON.parse = spy;
           Object.defineProperty(Object.prototype, 'toJSON', { value: spy, configurable: true });
           Object.defineProperty(Object.prototype, 'digest', { get: spy, configurable: true });
           const { subtle } = crypto;
           async function answer() {
             const secret = await subtle.importKey('raw', encode('key'), { __proto__: null, name: 'HMAC', hash: 'SHA-256' }, true, list('sign'));
             const mac = await subtle.sign('HMAC', secret, encode('data'));
             const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, list('sign', 'verify'));
             const usages = pair.publicKey.usages[0];
             const found = seen;
             delete Object.prototype.toJSON; delete Array.prototype.toJSON; delete Object.prototype.digest;
             return { found, usages, mac: toHex.call(new Uint8Array(mac)) };
           }`,
        ),
      );
      assert.deepEqual(results, { found: 0, usages: 'verify', mac: createHmacHex('key', 'data') });
    });
  });

  describe('limits', () => {
    it('refuse what would take too long, before it starts', async () => {
      const failures = (await run(`
        const base = (name) => subtle.importKey('raw-secret', bytes('password'), name, false, ['deriveBits', 'deriveKey']);
        const salt = new Uint8Array(16);
        const pbkdf2 = async (iterations, bits) =>
          failure(subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, await base('PBKDF2'), bits));
        const argon2 = { name: 'Argon2id', nonce: salt, parallelism: 1 };
        const rsa = { name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) };
        return [
          await pbkdf2(${MAX_PBKDF2_ROUNDS + 1}, 256),
          await pbkdf2(${MAX_PBKDF2_ROUNDS / 2 + 1}, 512),
          await failure(subtle.deriveBits({ ...argon2, memory: ${MAX_ARGON2_MEMORY_KIB + 1}, passes: 1 }, await base('Argon2id'), 256)),
          await failure(subtle.deriveBits({ ...argon2, memory: ${MAX_ARGON2_MEMORY_KIB}, passes: 5 }, await base('Argon2id'), 256)),
          await failure(subtle.generateKey({ ...rsa, modulusLength: 4104 }, false, ['sign'])),
          await failure(subtle.generateKey({ ...rsa, publicExponent: new Uint8Array([1, 0, 3]) }, false, ['sign'])),
          await failure(subtle.digest({ name: 'TurboSHAKE128', outputLength: 2 ** 31 }, salt)),
          await failure(subtle.generateKey({ name: 'HMAC', hash: 'SHA-1', length: 2 ** 31 }, false, ['sign'])),
          await failure(subtle.importKey('raw', new Uint8Array(${MAX_KEY_DATA_BYTES + 1}), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])),
          await failure(subtle.importKey('raw', new Uint8Array(${MAX_KEY_DATA_BYTES}), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])),
          await failure(subtle.importKey('jwk', { kty: 'oct', k: 'A'.repeat(2_000_000) }, { name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])),
        ]`)) as string[];
      assert.deepEqual(
        failures.map((failure) => failure.split(':')[0]),
        [
          ...words('NotSupportedError NotSupportedError OperationError OperationError OperationError'),
          ...words('OperationError OperationError OperationError DataError fulfilled RangeError'),
        ],
      );
      assert.match(failures[0]!, /iterations for each block of output together are 1000001, limit is 1000000/);
    });

    it('bound the keys of an instance', async () => {
      const results = await run(
        `
        const one = () => subtle.importKey('raw', bytes('secret'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
        const kept = [];
        let error;
        while (error === undefined && kept.length < ${MAX_CRYPTO_HANDLES + 100}) {
          try { kept.push(await one()); } catch (thrown) { error = thrown; }
        }
        const mac = await subtle.sign('HMAC', kept[0], bytes('data'));
        return [kept.length, error.name, error.message, mac.byteLength]`,
      );
      assert.deepEqual(results, [
        MAX_CRYPTO_HANDLES,
        'QuotaExceededError',
        `Cannot keep another key: this instance has ${MAX_CRYPTO_HANDLES} already, limit is ${MAX_CRYPTO_HANDLES}`,
        32,
      ]);
    });

    it('do not count keys that have been collected', async () => {
      const name = await deploy(`
        for (let i = 0; i < 500; i++) {
          await subtle.importKey('raw', bytes('secret'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
        }
        return Response.json('done')`);
      for (let made = 0; made < MAX_CRYPTO_HANDLES + 2_000; made += 500) assert.equal(await call(name), 'done');
    });

    it('charge CPU time spent outside the isolate', async () => {
      const body = `
        const key = await subtle.importKey('raw', bytes('password'), 'PBKDF2', false, ['deriveBits']);
        await subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: bytes('salt'), iterations: ${MAX_PBKDF2_ROUNDS} }, key, 512);
        return Response.json('done')`;
      const name = await deploy(body, { cpuMs: 60 });
      const response = await runtime.fetch(name, new Request('http://x/'));
      assert.equal(response.headers.get('x-isola-outcome'), 'exceededCpu');
    });

    it('keep one Worker’s derivations from making another wait', async () => {
      const heavy = await deploy(`
        const key = await subtle.importKey('raw', bytes('password'), 'PBKDF2', false, ['deriveBits']);
        const one = () => subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: bytes('salt'), iterations: 200_000 }, key, 512);
        await Promise.all(Array.from({ length: 8 }, one));
        return Response.json('done')`);
      const light = await deploy(`
        const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
        await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, bytes('data'));
        await subtle.digest('SHA-256', new Uint8Array(1_000_000));
        return Response.json('done')`);
      await call(light); // its instance is there from here on
      const order: string[] = [];
      const heavyDone = call(heavy).then(() => order.push('heavy'));
      for (let i = 0; i < 3; i++) order.push(`light ${String(await call(light))}`);
      await heavyDone;
      assert.deepEqual(order, ['light done', 'light done', 'light done', 'heavy']);
    });
  });

  describe('DigestStream', () => {
    it('hashes bytes and strings as they are written', async () => {
      const results = await run(`
        const stream = new crypto.DigestStream({ name: 'sha-256' });
        const writer = stream.getWriter();
        await writer.write('a');
        await writer.write(bytes('bc').buffer);
        await writer.write(new DataView(new ArrayBuffer(200_000)));
        await writer.close();
        const md5 = new crypto.DigestStream('MD5');
        await new Response('body').body.pipeTo(md5);
        return [hex(await stream.digest), String(stream.bytesWritten), stream instanceof WritableStream, hex(await md5.digest)]`);
      const sha = createHash('sha256').update('abc').update(new Uint8Array(200_000)).digest('hex');
      assert.deepEqual(results, [sha, '200003', true, createHash('md5').update('body').digest('hex')]);
    });

    it('rejects its digest when it fails or is aborted', async () => {
      const results = await run(`
        const failing = new crypto.DigestStream('SHA-512');
        const wrote = await nameOf(failing.getWriter().write(5));
        const aborted = new crypto.DigestStream('SHA-512');
        await aborted.abort(new RangeError('enough'));
        let name;
        try { new crypto.DigestStream('SHA-7'); } catch (error) { name = error.name; }
        return [wrote, await nameOf(failing.digest), await failure(aborted.digest), name]`);
      assert.deepEqual(results, ['TypeError', 'TypeError', 'RangeError: enough', 'NotSupportedError']);
    });
  });

  it('getRandomValues takes integer arrays of up to 65,536 bytes', async () => {
    const results = await run(`
      const attempt = (value) => { try { return crypto.getRandomValues(value) === value; } catch (error) { return [error.name, error.code, error instanceof QuotaExceededError, error.quota]; } };
      return [
        attempt(new Uint8Array(65_536)), attempt(new BigInt64Array(8)), attempt(new Uint8Array(65_537)),
        attempt(new Float64Array(1)), attempt(new DataView(new ArrayBuffer(1))),
      ]`);
    const mismatch = ['TypeMismatchError', 17, false, null];
    assert.deepEqual(results, [true, true, ['QuotaExceededError', 22, true, null], mismatch, mismatch]);
  });
});

function words(text: string): string[] {
  return text.split(' ');
}

function createHmacHex(key: string, data: string): string {
  return createHmac('sha256', key).update(data).digest('hex');
}
