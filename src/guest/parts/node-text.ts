import path from 'path-browserify';
import punycode from 'unenv/node/punycode';
import querystring from 'unenv/node/querystring';
import url from 'unenv/node/url';
import { URL, URLSearchParams } from '../core.ts';
import { completePath } from '../node/path.ts';

const { posix, win32 } = completePath(path);

export { querystring };
export const modules = {
  path: () => posix,
  'path/posix': () => posix,
  'path/win32': () => win32,
  punycode: () => punycode,
  querystring: () => querystring,
  url: () => ({ ...url, URL, URLSearchParams }),
};
