import { type AssetFile, filesOf, parseManifest } from '../../assets/index.ts';
import { PlatformError } from '../../errors.ts';
import type { AccountId, Sha256, WorkerName } from '../../ids.ts';
import { ASSET_UPLOAD_MS, MAX_ACCOUNT_ASSET_BYTES, MAX_ACCOUNT_ASSETS } from '../../limits.ts';
import type { AssetIndex, AssetQuota, Blobs, Registry, UploadManifest } from '../../store/index.ts';
import type { Authenticator } from '../auth.ts';
import type { WorkerKey } from '../names.ts';
import { type AssetForm, type AssetPart, MAX_BUCKET_FILES, readAssetParts } from './asset-parts.ts';
import { UploadTokens } from './upload-tokens.ts';

const BUCKET_BYTES = 8 * 1024 * 1024; // of files in one request, unless one file alone has more
const MAX_RECEIVING = 16; // requests with files at once, up to 60 MB of memory each
const MAX_RECEIVING_OF_ACCOUNT = 6; // two wranglers
const QUOTA: AssetQuota = { files: MAX_ACCOUNT_ASSETS, bytes: MAX_ACCOUNT_ASSET_BYTES };

export interface AssetUploadsDeps {
  readonly index: AssetIndex;
  readonly registry: Registry;
  readonly blobs: Blobs;
  /** Signs the tokens of uploads. */
  readonly key: Uint8Array;
  readonly now: () => number;
  readonly randomUUID: () => string;
}

/**
 * Brings the files of a version: what is to come is said first, then what is missing is sent, by one token, and the
 * version is made by another one. Everything can be sent again; an upload that broke off goes on where it was.
 */
export class AssetUploads {
  readonly #deps: AssetUploadsDeps;
  readonly #tokens: UploadTokens;
  /** By account, of requests that are being read. */
  readonly #receiving = new Map<AccountId, number>();

  constructor(deps: AssetUploadsDeps) {
    this.#deps = deps;
    this.#tokens = new UploadTokens(deps.key);
  }

  /** What is missing, in portions. The token is for sending them, or, if nothing is missing, for the version. */
  async begin(
    { account, worker }: WorkerKey,
    manifest: UploadManifest,
  ): Promise<{ token: string; buckets: string[][] }> {
    const { index, now, randomUUID } = this.#deps;
    const sizes = toSizes(manifest);
    const known = await index.find(account, [...sizes.keys()]);
    for (const [hash, size] of sizes) {
      const bytes = known.get(hash)?.bytes;
      if (bytes !== undefined && bytes !== size) {
        throw invalid(`the asset ${hash} is said to have ${size} bytes; the account has it with ${bytes}`);
      }
    }
    const missing = new Map([...sizes].filter(([hash]) => !known.has(hash)));
    await this.#makeRoom(account, sizes, missing);
    const id = randomUUID();
    const expiresAt = now() + ASSET_UPLOAD_MS;
    await index.begin({ id, account, worker, manifest, expiresOn: toTime(expiresAt) }, { missing, now: toTime(now()) });
    const purpose = missing.size === 0 ? 'deploy' : 'upload';
    return {
      token: this.#tokens.sign({ purpose, account, worker, upload: id, expiresAt }),
      buckets: toBuckets(missing),
    };
  }

  /** The token of an upload as what a request is sent with. */
  get authenticator(): Authenticator {
    return {
      identify: async (token) => {
        const claims = this.#tokens.verify(token, 'upload', this.#deps.now());
        if (claims === undefined) return undefined;
        const { account, worker, upload } = claims;
        return { actor: `upload of assets to ${worker}`, account, scopes: new Set(), tokenId: upload };
      },
    };
  }

  /** Stores files of an upload. Resolves with the token for the version once all have come. */
  async receive({ account, id }: { account: AccountId; id: string }, form: AssetForm): Promise<string | undefined> {
    const { index, blobs, now } = this.#deps;
    const upload = await index.upload(account, id, toTime(now()));
    if (upload === undefined) throw invalid('the upload is not known any more; begin again');
    using _turn = this.#takeTurn(account);
    const parts = await readAssetParts(form);
    const wanted = await index.wanted(
      id,
      parts.map(({ hash }) => hash),
    );
    for (const part of parts) checkPart(part, wanted.get(part.hash));
    using _hold = blobs.hold(); // until the index has them
    const hashes = await blobs.putMany(parts.map(({ content }) => content));
    const entries = parts.map(({ hash, type, content }, i) => ({
      hash,
      sha256: hashes[i]!,
      bytes: content.byteLength,
      type,
    }));
    const { complete } = await index.add(upload, entries, QUOTA);
    if (!complete) return undefined;
    const expiresAt = now() + ASSET_UPLOAD_MS;
    return this.#tokens.sign({ purpose: 'deploy', account, worker: upload.worker, upload: id, expiresAt });
  }

  /** The files of a complete upload, by path. Throws `assetTokenInvalid`. */
  async filesOf({ account, worker }: WorkerKey, token: string): Promise<Map<string, AssetFile>> {
    const { index, now } = this.#deps;
    const claims = this.#tokens.verify(token, 'deploy', now());
    const isOwn = claims?.account === account && claims.worker === worker;
    const upload = isOwn ? await index.upload(account, claims.upload, toTime(now())) : undefined;
    if (upload === undefined) {
      throw new PlatformError(
        'assetTokenInvalid',
        'Cannot use the assets: their token is not one for this Worker, or its time is over; upload them again',
      );
    }
    const paths = Object.entries(upload.manifest);
    const known = await index.find(
      account,
      paths.map(([, { hash }]) => hash),
    );
    return new Map(
      paths.map(([path, { hash }]) => {
        const entry = known.get(hash);
        if (entry === undefined) throw invalid(`${path} has not been uploaded`);
        return [path, { sha256: entry.sha256, bytes: entry.bytes, type: entry.type }];
      }),
    );
  }

  /** Throws `overloaded` when too many are being read; wrangler then sends fewer at a time. */
  #takeTurn(account: AccountId): Disposable {
    const own = this.#receiving.get(account) ?? 0;
    const all = [...this.#receiving.values()].reduce((sum, count) => sum + count, 0);
    if (own >= MAX_RECEIVING_OF_ACCOUNT || all >= MAX_RECEIVING) {
      throw new PlatformError('overloaded', 'Cannot take assets: too many are being uploaded at the moment');
    }
    this.#receiving.set(account, own + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#receiving.get(account) ?? 1) - 1;
        if (left === 0) this.#receiving.delete(account);
        else this.#receiving.set(account, left);
      },
    };
  }

  /** Before the quota refuses something, what no version has any more is forgotten. */
  async #makeRoom(
    account: AccountId,
    sizes: ReadonlyMap<string, number>,
    missing: ReadonlyMap<string, number>,
  ): Promise<void> {
    const { index } = this.#deps;
    const { files, bytes } = await index.usage(account);
    const coming = [...missing.values()].reduce((sum, size) => sum + size, 0);
    if (files + missing.size <= QUOTA.files && bytes + coming <= QUOTA.bytes) return;
    const used = await this.#usedBy(account);
    await index.forgetUnused(account, ({ hash, sha256 }) => used.has(sha256) || sizes.has(hash));
  }

  /** Contents of all versions that the account has. */
  async #usedBy(account: AccountId): Promise<Set<Sha256>> {
    const used = new Set<Sha256>();
    for await (const worker of this.#workersOf(account)) {
      for (let offset = 0; ; offset += 100) {
        const versions = await this.#deps.registry.listVersions(account, worker, { offset, limit: 100 });
        const manifests = new Set(versions.flatMap(({ spec }) => spec.assets?.manifest ?? []));
        for (const manifest of manifests) {
          const bytes = await this.#deps.blobs.get(manifest);
          if (bytes === undefined) throw new Error(`Cannot find the manifest ${manifest} of account ${account}`);
          for (const { sha256 } of filesOf(parseManifest(bytes)).values()) used.add(sha256);
        }
        if (versions.length < 100) break;
      }
    }
    return used;
  }

  async *#workersOf(account: AccountId): AsyncGenerator<WorkerName> {
    for (let offset = 0; ; offset += 100) {
      const { workers } = await this.#deps.registry.listWorkers(account, { offset, limit: 100 });
      for (const { name } of workers) yield name;
      if (workers.length < 100) return;
    }
  }
}

/** By hash. Throws when one hash is said to have two sizes. */
function toSizes(manifest: UploadManifest): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [path, { hash, size }] of Object.entries(manifest)) {
    const other = sizes.get(hash);
    if (other !== undefined && other !== size) throw invalid(`${path} has the hash of a file of another size`);
    sizes.set(hash, size);
  }
  return sizes;
}

function toBuckets(missing: ReadonlyMap<string, number>): string[][] {
  const buckets: string[][] = [];
  let room = 0;
  for (const [hash, size] of missing) {
    const last = buckets.at(-1);
    if (last === undefined || size > room || last.length >= MAX_BUCKET_FILES) {
      buckets.push([hash]);
      room = BUCKET_BYTES - size;
    } else {
      last.push(hash);
      room -= size;
    }
  }
  return buckets;
}

function checkPart({ hash, content }: AssetPart, size: number | undefined): void {
  if (size === undefined) throw invalid(`the upload has not asked for ${hash.slice(0, 100)}`);
  if (content.byteLength === size) return;
  throw invalid(`the asset ${hash} has ${content.byteLength} bytes, and is said to have ${size}`);
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

function invalid(reason: string): PlatformError {
  return new PlatformError('assetUploadInvalid', `Cannot upload assets: ${reason}`);
}
