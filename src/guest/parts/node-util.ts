import { assert, strict } from '../node/assert.ts';
import { util } from '../node/util/index.ts';

export const modules = {
  assert: () => assert,
  'assert/strict': () => strict,
  sys: () => util,
  util: () => util,
  'util/types': () => util.types,
};
