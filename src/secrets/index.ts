/**
 * Secrets of Workers, encrypted wherever they are stored: AES-256-GCM under a data key for each account, which a master
 * key wraps that the operator keeps.
 * Called by control/ (seals what is uploaded) and the supervisor (opens it for the cell that runs the version).
 * Promise: what is sealed opens for the same account, Worker and name only; no plain value and no key is ever stored,
 * logged or part of an error.
 * Start at vault.ts; rotation.ts explains how keys are replaced while everything goes on.
 */
export { KEY_SOURCE, type KeySource, parseKeySource } from './key-source.ts';
export { type OpenVersion, openVersion } from './open-version.ts';
export { openVault } from './open-vault.ts';
export { Rotation, type RotationProgress } from './rotation.ts';
export { type SecretOwner, Vault, withFreshKeys } from './vault.ts';
