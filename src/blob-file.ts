/** A blob as a file: where it is in its folder, and reading parts of it. For the store, and for gateways, which only read. */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from './ids.ts';

const SHA256_HEX = /^[0-9a-f]{64}$/;

/** Bytes that are read piece by piece. Close it. */
export interface OpenBlob {
  readonly bytes: number;
  /** Fewer bytes than asked for at the end only. */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** `<dir>/<first two hex digits>/<sha256>`. */
export function blobPath(dir: string, sha256: Sha256): string {
  // A hash comes from our own registry, but a path is made of it: check rather than trust.
  if (!SHA256_HEX.test(sha256)) throw new Error(`Not a SHA-256 in hex: ${JSON.stringify(sha256)}`);
  return join(dir, sha256.slice(0, 2), sha256);
}

/** Undefined when there is none. Its content is not checked against the hash. */
export async function openBlobFile(dir: string, sha256: Sha256): Promise<OpenBlob | undefined> {
  let file: FileHandle;
  try {
    file = await open(blobPath(dir, sha256), 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    return { bytes: size, read: (position, length) => readPart(file, position, length), close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readPart(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return bytesRead === length ? buffer : buffer.subarray(0, bytesRead);
}
