/** Hashes, HMACs and ciphers that a guest feeds piece by piece. */
import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  type Decipheriv,
  type Hash,
  type Hmac,
} from 'node:crypto';
import { type Holdings, type ServiceAnswer, ServiceError } from '../service.ts';
import { type Fields, splitBytes, toCount, toText } from './fields.ts';
import { HANDLE_BYTES, MAX_DERIVED_BYTES, MAX_HANDLES } from './limits.ts';

type Cipher = (Cipheriv | Decipheriv) & {
  getAuthTag?: () => Buffer;
  setAuthTag?: (tag: Uint8Array) => unknown;
  setAAD?: (data: Uint8Array, options?: { plaintextLength: number }) => unknown;
};
type CreateCipher = (name: string, key: Uint8Array, iv: Uint8Array | null, options: object) => Cipher;
type Handle =
  | { readonly kind: 'hash'; readonly hash: Hash | Hmac }
  | { readonly kind: 'cipher'; readonly cipher: Cipher };

const NOTHING = new Uint8Array(0);

export class Handles {
  readonly #holdings: Holdings;
  readonly #open = new Map<unknown, Handle>();
  #lastId = 0;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  /** Of a whole message at once, without a handle: `hash`, or `hmac` with its key first. */
  digest(fields: Fields, bytes: Uint8Array | undefined): ServiceAnswer {
    const [key = NOTHING, data = NOTHING] = splitBytes(fields, bytes);
    return { bytes: toHash(fields, key).update(data).digest() };
  }

  openHash(fields: Fields, bytes: Uint8Array | undefined): ServiceAnswer {
    const [key = NOTHING, data = NOTHING] = splitBytes(fields, bytes);
    const hash = toHash(fields, key);
    hash.update(data);
    return { value: this.#add({ kind: 'hash', hash }) };
  }

  openCipher(fields: Fields, bytes: Uint8Array | undefined): ServiceAnswer {
    const [key = NOTHING, iv = NOTHING] = splitBytes(fields, bytes);
    const name = toText(fields['algorithm'], 'cipher');
    if (!/^(?:aes-?(?:128|192|256)-?(?:cbc|ctr|ecb|gcm|cfb|cfb8|ofb)|chacha20-poly1305)$/i.test(name)) {
      throw new TypeError('Unknown cipher');
    }
    const authTagLength =
      fields['authTagLength'] === undefined ? undefined : toCount(fields['authTagLength'], 'authTagLength', 16);
    const options = authTagLength === undefined ? {} : { authTagLength };
    const create = (fields['decrypts'] === true ? createDecipheriv : createCipheriv) as CreateCipher;
    const cipher = create(name, key, fields['hasIv'] === true ? iv : null, options);
    if (fields['autoPadding'] === false) cipher.setAutoPadding(false);
    return { value: this.#add({ kind: 'cipher', cipher }) };
  }

  update(fields: Fields, bytes: Uint8Array | undefined): ServiceAnswer {
    const handle = this.#find(fields['id']);
    const data = bytes ?? NOTHING;
    if (handle.kind === 'cipher') return { bytes: handle.cipher.update(data) };
    handle.hash.update(data);
    return {};
  }

  /** Ends it, and frees it. Of a cipher that authenticates, `value` is the tag. */
  final(fields: Fields): ServiceAnswer {
    const handle = this.#find(fields['id']);
    this.close(fields['id']);
    if (handle.kind === 'hash') return { bytes: handle.hash.digest() };
    const { cipher } = handle;
    const rest = cipher.final();
    if (fields['wantsTag'] !== true) return { bytes: rest };
    return { bytes: Buffer.concat([rest, cipher.getAuthTag!()]) };
  }

  copy(fields: Fields): ServiceAnswer {
    const handle = this.#find(fields['id']);
    if (handle.kind !== 'hash' || !('copy' in handle.hash))
      throw new ServiceError('Error', 'Only a hash can be copied');
    return { value: this.#add({ kind: 'hash', hash: handle.hash.copy() }) };
  }

  /** The tag to compare with, or data that is authenticated beside the message. */
  setUp(fields: Fields, bytes: Uint8Array | undefined): ServiceAnswer {
    const handle = this.#find(fields['id']);
    if (handle.kind !== 'cipher') throw new ServiceError('Error', 'Only a cipher has that');
    if (fields['what'] === 'tag') handle.cipher.setAuthTag!(bytes ?? NOTHING);
    else {
      const { plaintextLength } = fields;
      const options =
        plaintextLength === undefined
          ? undefined
          : { plaintextLength: toCount(plaintextLength, 'plaintextLength', 2 ** 31 - 1) };
      handle.cipher.setAAD!(bytes ?? NOTHING, options);
    }
    return {};
  }

  close(id: unknown): void {
    if (this.#open.delete(id)) this.#holdings.heldBytes -= HANDLE_BYTES;
  }

  dispose(): void {
    this.#holdings.heldBytes -= HANDLE_BYTES * this.#open.size;
    this.#open.clear();
  }

  #add(handle: Handle): number {
    if (this.#open.size >= MAX_HANDLES) {
      throw new ServiceError('Error', `Too many hashes and ciphers under way: a Worker may have ${MAX_HANDLES}`);
    }
    this.#holdings.heldBytes += HANDLE_BYTES;
    const id = ++this.#lastId;
    this.#open.set(id, handle);
    return id;
  }

  #find(id: unknown): Handle {
    const found = this.#open.get(id);
    if (found === undefined) throw new ServiceError('Error', 'The hash or cipher has been finished');
    return found;
  }
}

function toHash(fields: Fields, key: Uint8Array): Hash | Hmac {
  const algorithm = toText(fields['algorithm'], 'digest');
  const { outputLength } = fields;
  const options =
    outputLength === undefined ? {} : { outputLength: toCount(outputLength, 'outputLength', MAX_DERIVED_BYTES) };
  return fields['keyed'] === true ? createHmac(algorithm, key) : createHash(algorithm, options);
}
