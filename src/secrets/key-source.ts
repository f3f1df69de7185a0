/** Where the master key is: a file, an environment variable, or a command that prints it (so that a KMS can hold it). */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PlatformError } from '../errors.ts';
import { MasterKey, toKey } from './master-key.ts';
import { KEY_BYTES } from './seal.ts';

const COMMAND_TIMEOUT_MS = 60_000; // a KMS may be far away; a start that hangs for ever is worse
const MAX_OUTPUT_BYTES = 64 * 1024;

export type KeySource = { readonly kind: 'file' | 'env' | 'command'; readonly value: string };

export const KEY_SOURCE = /^(?:file|env|command):./s;

/** `file:PATH`, `env:NAME` or `command:…`, which is run by the shell. */
export function parseKeySource(text: string): KeySource {
  const [, kind, value] = /^(file|env|command):(.+)$/s.exec(text) ?? [];
  if (kind === undefined || value === undefined) {
    throw keyError('the source must be file:PATH, env:NAME or command:…');
  }
  return { kind: kind as KeySource['kind'], value: kind === 'file' ? resolve(value) : value };
}

/** Reads the key. An environment variable is taken away, so that no child process gets it. Throws `secretsKey`. */
export async function readMasterKey(source: KeySource): Promise<MasterKey> {
  return new MasterKey(toKey(parseKey(await readText(source), describe(source))));
}

/** Makes a key in a file of its own that only this user can read, durably: what is sealed with it is lost without it. */
export function createKeyFile(path: string): void {
  const temporary = `${path}.new`; // under its name it is whole or not there
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

export function isMissing({ kind, value }: KeySource): boolean {
  return kind === 'file' && !existsSync(value);
}

async function readText({ kind, value }: KeySource): Promise<string> {
  if (kind === 'command') return await runCommand(value);
  if (kind === 'file') return readKeyFile(value);
  const text = process.env[value];
  delete process.env[value];
  if (text === undefined) throw keyError(`there is no environment variable ${value}`);
  return text;
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw keyError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
}

/** What it prints to stderr is not shown: it is the operator's own command, and may say more than it should. */
async function runCommand(command: string): Promise<string> {
  try {
    const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command], options);
    return stdout;
  } catch (error) {
    const { code, killed } = error as { code?: number | string; killed?: boolean };
    const how = killed === true ? `did not end within ${COMMAND_TIMEOUT_MS / 1000} s` : `ended with ${String(code)}`;
    throw keyError(`the command ${how}`); // no cause: it carries the output
  }
}

function parseKey(text: string, where: string): Buffer {
  const trimmed = text.trim();
  const isHex = /^[0-9a-f]{64}$/i.test(trimmed);
  const isBase64 = /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed);
  if (isHex || isBase64) return Buffer.from(trimmed, isHex ? 'hex' : 'base64');
  // Not what was found: it may be a key all the same.
  throw keyError(`${where} has no key: it must be ${KEY_BYTES} bytes, as 64 hex digits or in base64`);
}

function describe({ kind, value }: KeySource): string {
  if (kind === 'file') return value;
  return kind === 'env' ? `the environment variable ${value}` : 'the output of the command';
}

function keyError(reason: string, cause?: unknown): PlatformError {
  return new PlatformError('secretsKey', `Cannot get the master key of secrets: ${reason}`, { cause });
}
