import { zlib } from '../node/zlib/index.ts';

export const modules = { zlib: () => zlib };
