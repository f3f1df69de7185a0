import { createHmac, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import type { AccountId, WorkerName } from '../ids.ts';
import type { Binding, StoredBinding } from '../model.ts';
import { type DataKeyId, type SecretKeys, StaleKeyError } from '../store/index.ts';
import { LruCache } from '../lru-cache.ts';
import { type MasterKey, toKey } from './master-key.ts';
import { type Context, KEY_BYTES, seal, unseal } from './seal.ts';

const MAX_CACHED_KEYS = 1_000; // accounts; another costs a read and 20 µs
const MAX_ATTEMPTS = 5; // a key is replaced by a rotation, which nobody starts twice in a moment

/** Whose bindings they are. A secret opens for this Worker only. */
export interface SecretOwner {
  readonly account: AccountId;
  readonly worker: WorkerName;
}

export interface SealedBindings {
  readonly bindings: readonly StoredBinding[];
  /** Missing when there is no secret among them. */
  readonly secretsKey?: DataKeyId | undefined;
}

/**
 * Seals the secrets of Workers for the registry and opens them for the cells.
 *
 * Each account has a data key, wrapped by the master key. Both methods throw StaleKeyError when a rotation has taken the key
 * away meanwhile: `withFreshKeys` tries again.
 */
export class Vault {
  readonly #keys: SecretKeys;
  readonly #cache = new LruCache<KeyObject>(MAX_CACHED_KEYS);
  #master: MasterKey;
  #fingerprints: KeyObject;
  #replacing: Promise<void> | undefined;

  /** `master` must be the one that the stored keys are wrapped with (open-vault.ts sees to it). */
  constructor(keys: SecretKeys, master: MasterKey) {
    this.#keys = keys;
    this.#master = master;
    this.#fingerprints = master.derive('fingerprints');
  }

  get masterKeyId(): string {
    return this.#master.id;
  }

  /** Every secret gets a nonce of its own, under the account's newest key. */
  async seal(owner: SecretOwner, bindings: readonly Binding[]): Promise<SealedBindings> {
    if (!bindings.some(({ type }) => type === 'secret_text')) return { bindings: bindings as StoredBinding[] };
    const { id, key } = await this.#currentKey(owner.account);
    const sealed = bindings.map((binding): StoredBinding => {
      if (binding.type !== 'secret_text') return binding;
      const { type, name, text } = binding;
      return { type, name, sealed: seal(key, Buffer.from(text), contextOf(owner, name)) };
    });
    return { bindings: sealed, secretsKey: id };
  }

  /** Throws UnsealError when a secret was changed, or sealed for another Worker or name. */
  async open(owner: SecretOwner, { bindings, secretsKey }: SealedBindings): Promise<Binding[]> {
    if (secretsKey === undefined) return bindings as Binding[];
    const key = await this.#key(secretsKey);
    return bindings.map((binding): Binding => {
      if (binding.type !== 'secret_text') return binding;
      const { type, name, sealed } = binding;
      const text = unseal(key, sealed, contextOf(owner, name));
      try {
        return { type, name, text: text.toString() };
      } finally {
        text.fill(0);
      }
    });
  }

  /** Tells equal content from different one. Who has it and not the master key cannot try out what the content may be. */
  fingerprint(parts: Iterable<string | Uint8Array>): string {
    const hmac = createHmac('sha256', this.#fingerprints);
    for (const part of parts) hmac.update(createHmac('sha256', this.#fingerprints).update(part).digest());
    return hmac.digest('hex');
  }

  /** Wraps all data keys with another master key, which the vault takes over. The values stay as they are. */
  async replaceMaster(next: MasterKey): Promise<void> {
    const before = this.#master;
    this.#replacing = this.#keys.rewrap(next.id, (key) => next.wrap(before.unwrap(key), key));
    try {
      await this.#replacing;
      this.#master = next;
      this.#fingerprints = next.derive('fingerprints');
    } finally {
      this.#replacing = undefined;
    }
  }

  async #currentKey(account: AccountId): Promise<{ id: DataKeyId; key: KeyObject }> {
    const current = await this.#keys.current(account);
    if (current !== undefined) return { id: current.id, key: await this.#key(current.id) };
    await this.#replacing;
    const master = this.#master;
    const candidate = { id: randomUUID() as string as DataKeyId, account };
    const wrapped = master.wrap(toKey(randomBytes(KEY_BYTES)), candidate);
    const stored = await this.#keys.ensure({ ...candidate, wrapped }, master.id); // or another's that was first
    return { id: stored.id, key: await this.#key(stored.id) };
  }

  async #key(id: DataKeyId): Promise<KeyObject> {
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- once, unless the master key is replaced between the two
      await this.#replacing;
      const master = this.#master;
      // oxlint-disable-next-line no-await-in-loop
      const found = await this.#keys.find(id);
      if (found === undefined) throw new StaleKeyError(`There is no data key ${id}`);
      if (this.#master !== master || this.#replacing !== undefined) continue;
      const key = master.unwrap(found);
      this.#cache.set(id, key, 1);
      return key;
    }
  }
}

/** Runs `attempt` again when a rotation has just replaced the key that it used. */
export async function withFreshKeys<T>(attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after another
      return await attempt();
    } catch (error) {
      if (!(error instanceof StaleKeyError) || count === MAX_ATTEMPTS) throw error;
    }
  }
}

function contextOf({ account, worker }: SecretOwner, name: string): Context {
  return ['secret_text', account, worker, name];
}
