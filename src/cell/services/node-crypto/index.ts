/**
 * Cryptography of node:crypto for guests: hashes, HMACs, ciphers, signatures, key derivation, on Node's own.
 * Guest side: guest/node/crypto/. Several byte strings of a question are sent as one, with their `lengths`.
 * Promise: what is answered at once is short (limits.ts), what takes longer runs in the thread pool, where it
 * takes turns with Web Crypto's long jobs; hashes and ciphers under way count as memory of the instance and end with it.
 * Start at node-crypto-service.ts.
 */
export { NodeCryptoService } from './node-crypto-service.ts';
