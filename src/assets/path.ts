/** Paths of requests and of files. None of this touches a file system: a path is looked up in a manifest. */

// Most paths are as the URL standard would write them, and are taken as they are.
const PLAIN = /^(?:\/[\w~!$&'()*+,;=:@-][\w.~!$&'()*+,;=:@-]*)*\/?$/;

/** The path of a request target as the URL standard has it: no dot segments, escaped. Undefined when it is none. */
export function toPathname(path: string): string | undefined {
  if (PLAIN.test(path)) return path;
  // Behind a host: otherwise what follows two slashes would be one.
  return URL.parse(`http://host${path}`)?.pathname;
}

/** Unescaped, each segment by itself, and with single slashes. */
export function decodePath(pathname: string): string {
  const decoded = pathname.includes('%') ? pathname.split('/').map(decodeSegment).join('/') : pathname;
  return decoded.includes('//') ? decoded.replaceAll(/\/+/g, '/') : decoded;
}

/** How the path of a file is written in a URL: requests for it in other spellings are redirected there. */
export function encodePath(path: string): string {
  return /^[\w/.~!'()*-]*$/.test(path) ? path : path.split('/').map(encodeSegment).join('/');
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function encodeSegment(segment: string): string {
  try {
    return encodeURIComponent(segment);
  } catch {
    return segment; // half a surrogate pair
  }
}
