import { crypto } from '../node/crypto/index.ts';

export const modules = { crypto: () => crypto };
