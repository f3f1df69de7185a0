/** The Web Cryptography API but for random values. */
import { setOtherCloner } from '../core.ts';
import { cloneKey } from '../subtle/crypto-key.ts';

export { CryptoKey } from '../subtle/crypto-key.ts';
export { SubtleCrypto, subtle } from '../subtle/subtle-crypto.ts';

setOtherCloner(cloneKey);
