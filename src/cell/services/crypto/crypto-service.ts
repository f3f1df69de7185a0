/** The service `crypto` of one instance: Node's Web Crypto, with keys that stay here, within bounds, in turns. */
import { type KeyObject, webcrypto } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Asker, Holdings, Service, ServiceAnswer } from '../service.ts';
import { ServiceError } from '../service.ts';
import { type Arguments, toArguments } from './arguments.ts';
import { digestAtOnce, hmacSecret, importAtOnce, openDigest, signAtOnce, verifyAtOnce } from './at-once.ts';
import { checkKey, type Cost, judge, mostCpuUs } from './cost.ts';
import { Handles } from './handles.ts';
import { heavyLane, lightLane } from './job-lanes.ts';

type Method = (...values: readonly unknown[]) => Promise<unknown>;

/** What Node computes before it returns; what it makes of the others, it computes on a thread of the pool. */
const INSTANT: ReadonlySet<string> = new Set(['exportKey', 'getPublicKey', 'importKey']);
const POOLED: ReadonlySet<string> = new Set([
  'decapsulateBits',
  'decapsulateKey',
  'decrypt',
  'deriveBits',
  'deriveKey',
  'digest',
  'encapsulateBits',
  'encapsulateKey',
  'encrypt',
  'generateKey',
  'sign',
  'unwrapKey',
  'verify',
  'wrapKey',
]);
/** How many keys there are more after an operation, at most. */
const NEW_KEYS: ReadonlyMap<string, number> = new Map([
  ['decapsulateKey', 1],
  ['deriveKey', 1],
  ['encapsulateKey', 1],
  ['generateKey', 2],
  ['getPublicKey', 1],
  ['importKey', 1],
  ['unwrapKey', 1],
]);
const SLICE_BYTES = 64 * 1024; // hashed in 40 to 1,500 us, before others have their turn on this thread
const { subtle } = webcrypto;

export class CryptoService implements Service {
  readonly #holdings: Holdings;
  readonly #handles: Handles;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
    this.#handles = new Handles(holdings);
  }

  ask(operation: string, parameters: unknown, bytes: Uint8Array | undefined, asker: Asker): Promise<ServiceAnswer> {
    if (operation === 'updateDigest') return this.#updateInSlices(parameters, bytes, asker);
    if (!INSTANT.has(operation) && !POOLED.has(operation))
      throw new ServiceError('Error', 'There is no such operation');
    const { values, keys } = toArguments(parameters, bytes, this.#handles);
    const cost = judge(operation, values);
    this.#handles.reserve(NEW_KEYS.get(operation) ?? 0);
    const mostUs = mostCpuUs(cost, bytes?.length ?? 0);
    return this.#perform(operation, { values, keys }, { cost, mostUs, asker });
  }

  askSync(operation: string, parameters: unknown, bytes: Uint8Array | undefined): ServiceAnswer {
    switch (operation) {
      case 'digest':
        return { bytes: digestAtOnce(this.#toArguments(parameters, bytes).values) };
      case 'importKey': {
        const { key, secret } = importAtOnce(this.#toArguments(parameters, bytes).values);
        return { value: { kind: 'key', key: this.#keep(key, secret) } };
      }
      case 'sign': {
        const { values, keys } = this.#toArguments(parameters, bytes);
        return { bytes: signAtOnce(values, keys[0]) };
      }
      case 'verify': {
        const { values, keys } = this.#toArguments(parameters, bytes);
        return { value: { kind: 'value', value: verifyAtOnce(values, keys[0]) } };
      }
      case 'supports':
        return { value: supports(this.#toArguments(parameters, bytes).values) };
      case 'free':
        if (typeof parameters === 'string') for (const id of parameters.split(',')) this.#handles.free(Number(id));
        return {};
      case 'openDigest':
        return { value: this.#handles.add({ kind: 'digest', hash: openDigest(parameters) }) };
      case 'updateDigest':
        if (bytes === undefined || bytes.length > SLICE_BYTES) throw new ServiceError('RangeError', 'Too much at once');
        this.#handles.digest(parameters).hash.update(bytes);
        return {};
      case 'finishDigest': {
        const { hash } = this.#handles.digest(parameters);
        this.#handles.free(parameters as number);
        return { bytes: hash.digest() };
      }
      default:
        throw new ServiceError('Error', 'There is no such operation');
    }
  }

  dispose(): void {
    lightLane.drop(this);
    heavyLane.drop(this);
    this.#handles.clear();
  }

  #toArguments(parameters: unknown, bytes: Uint8Array | undefined): Arguments {
    return toArguments(parameters, bytes, this.#handles);
  }

  async #perform(operation: string, { values }: Arguments, charge: Charge): Promise<ServiceAnswer> {
    const { cost, asker } = charge;
    const method = (subtle as unknown as Readonly<Record<string, Method>>)[operation]!.bind(subtle);
    if (INSTANT.has(operation)) {
      return this.#toAnswer(await method(...values), operation === 'importKey' ? values : undefined);
    }
    const lane = cost.heavy ? heavyLane : lightLane;
    const result = await lane.run(this, asker, () => this.#measure(() => method(...values), charge));
    return this.#toAnswer(result, undefined);
  }

  /**
   * Charges what the job took: the time until it was done, what this process's other threads computed meanwhile, or the
   * most that it can have cost, whichever is least. What it takes at least is charged in advance, so that ending the invocation does not save it.
   */
  async #measure<T>(job: () => Promise<T>, { cost, mostUs, asker }: Charge): Promise<T> {
    asker.cpuUs += cost.cpuUs;
    this.#holdings.heldBytes += cost.bytes;
    const startedAt = performance.now();
    const othersUs = otherThreadsUs();
    try {
      return await job();
    } finally {
      const tookUs = Math.min((performance.now() - startedAt) * 1e3, otherThreadsUs() - othersUs, mostUs);
      asker.cpuUs += Math.max(tookUs - cost.cpuUs, 0);
      this.#holdings.heldBytes -= cost.bytes;
    }
  }

  async #updateInSlices(id: unknown, bytes: Uint8Array | undefined, asker: Asker): Promise<ServiceAnswer> {
    const { hash } = this.#handles.digest(id);
    const length = bytes?.length ?? 0;
    for (let at = 0; at < length; at += SLICE_BYTES) {
      if (at > 0) await setImmediate();
      if (asker.finished) break;
      const before = process.threadCpuUsage();
      hash.update(bytes!.subarray(at, at + SLICE_BYTES));
      if (at > 0) asker.cpuUs += threadUsSince(before); // the first is done while it is asked
    }
    return {};
  }

  /** In the form that guest/subtle/answer.ts takes. `imported` are the arguments of importKey. */
  #toAnswer(result: unknown, imported: readonly unknown[] | undefined): ServiceAnswer {
    if (result instanceof ArrayBuffer) return { bytes: new Uint8Array(result) };
    if (result instanceof CryptoKey)
      return { value: { kind: 'key', key: this.#keep(result, imported && hmacSecret(imported)) } };
    const { publicKey, privateKey, sharedKey, ciphertext } = result as Partial<webcrypto.CryptoKeyPair & Capsule>;
    if (publicKey !== undefined && privateKey !== undefined) {
      return { value: { kind: 'pair', publicKey: this.#keep(publicKey), privateKey: this.#keep(privateKey) } };
    }
    if (sharedKey === undefined || ciphertext === undefined) return { value: { kind: 'value', value: result } };
    if (sharedKey instanceof ArrayBuffer) {
      const value = { kind: 'capsule', secretBytes: sharedKey.byteLength, sharedKey: null };
      return { value, bytes: Buffer.concat([new Uint8Array(sharedKey), new Uint8Array(ciphertext)]) };
    }
    const value = { kind: 'capsule', secretBytes: 0, sharedKey: this.#keep(sharedKey) };
    return { value, bytes: new Uint8Array(ciphertext) };
  }

  /** Keeps a key, with its secret when it is an HMAC key that was imported, and describes it to the guest. */
  #keep(key: webcrypto.CryptoKey, secret?: KeyObject): object {
    checkKey(key.algorithm);
    return {
      id: this.#handles.add({ kind: 'key', key, secret }),
      type: key.type,
      extractable: key.extractable,
      algorithm: JSON.stringify(key.algorithm, (_, value: unknown) =>
        value instanceof Uint8Array ? [...value] : value,
      ),
      usages: key.usages.join(','),
      atOnce: secret !== undefined,
    };
  }
}

interface Charge {
  readonly cost: Cost;
  readonly mostUs: number;
  readonly asker: Asker;
}

interface Capsule {
  readonly sharedKey: ArrayBuffer | webcrypto.CryptoKey;
  readonly ciphertext: ArrayBuffer;
}

/** CPU time of this thread, in µs. */
function threadUsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

/** CPU time of the process but for this thread, in µs. */
function otherThreadsUs(): number {
  const all = process.cpuUsage();
  const own = process.threadCpuUsage();
  return all.user + all.system - own.user - own.system;
}

function supports([operation, algorithm, additional]: readonly unknown[]): boolean {
  const { constructor } = subtle as unknown as { constructor: { supports(...values: unknown[]): boolean } };
  return constructor.supports(operation, algorithm, additional);
}
