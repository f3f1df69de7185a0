/**
 * The tokens of an upload, JSON Web Tokens since wrangler looks into them: one that allows to send files, one that says
 * all have come. They are ours alone, so that one kind of header and of signature is all there is.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { AccountId, WorkerName } from '../../ids.ts';

const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
const MAX_TOKEN_CHARS = 2_000;

/** `upload`: for sending files. `deploy`: for a version of them. */
export type TokenPurpose = 'upload' | 'deploy';

export interface UploadClaims {
  readonly purpose: TokenPurpose;
  readonly account: AccountId;
  readonly worker: WorkerName;
  /** Of the upload, which has the manifest. */
  readonly upload: string;
  /** ms since 1970. */
  readonly expiresAt: number;
}

const Payload = z.object({
  aud: z.enum(['upload', 'deploy']),
  account: z.string(),
  worker: z.string(),
  jti: z.string(),
  exp: z.number(),
});

export class UploadTokens {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  sign({ purpose, account, worker, upload, expiresAt }: UploadClaims): string {
    const payload = { aud: purpose, account, worker, jti: upload, exp: Math.floor(expiresAt / 1000) };
    const text = `${HEADER}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
    return `${text}.${this.#mac(text).toString('base64url')}`;
  }

  /** Undefined unless it is one of ours, for this purpose, and its time is not over. */
  verify(token: string, purpose: TokenPurpose, now: number): UploadClaims | undefined {
    if (token.length > MAX_TOKEN_CHARS) return undefined;
    const [header, body = '', mac = '', ...more] = token.split('.');
    if (header !== HEADER || more.length > 0) return undefined;
    const expected = this.#mac(`${header}.${body}`);
    const given = Buffer.from(mac, 'base64url');
    if (given.byteLength !== expected.byteLength || !timingSafeEqual(given, expected)) return undefined;
    const { aud, account, worker, jti, exp } = Payload.parse(JSON.parse(Buffer.from(body, 'base64url').toString()));
    const expiresAt = exp * 1000;
    if (aud !== purpose || expiresAt <= now) return undefined;
    return { purpose, account: account as AccountId, worker: worker as WorkerName, upload: jti, expiresAt };
  }

  #mac(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
