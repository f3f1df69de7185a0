/** `new WebSocket(url, protocols)`: the checks of the standard, and the handshake. */
import {
  btoa,
  DOMException,
  parseHref,
  parseUrl,
  promiseThen,
  regExpExec,
  type Response,
  responseState,
  SafeSet,
  startHandshake,
  stringIndexOf,
  stringSlice,
  toLowerCase,
} from '../../core.ts';
import type { Link } from './link.ts';
import { CONNECTING, type SocketEnd } from './socket-end.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/; // RFC 9110 §5.6.2
const SCHEME = /^(?:ws|http)(s?):$/;

/** Begins to connect `end`. `linkOf` finds the connection that a response brings. Throws a SyntaxError. */
export function connect(
  end: SocketEnd,
  address: string,
  options: { protocols: readonly string[]; linkOf: (response: Response) => Link | undefined },
): void {
  const { protocols, linkOf } = options;
  const parsed = parseHref(address);
  const url = parsed === undefined ? undefined : parseUrl(parsed, undefined);
  if (url === undefined) throw syntaxError(`the URL '${address}' is invalid`);
  const { href, schemeEnd, hostStart, pathStart, fragmentStart } = url;
  const scheme = regExpExec(SCHEME, stringSlice(href, 0, schemeEnd));
  if (scheme === null) throw syntaxError("the URL's scheme must be ws, wss, http or https");
  if (fragmentStart >= 0) throw syntaxError('the URL has a fragment');
  checkProtocols(protocols);
  const secure = scheme[1]!;
  const target = stringSlice(href, hostStart);
  end.url = `ws${secure}:${stringSlice(href, schemeEnd)}`;
  end.origin = `ws${secure}://${stringSlice(href, hostStart, pathStart)}`;
  let fields = '';
  for (let i = 0; i < protocols.length; i++) {
    fields += i === 0 ? `\nsec-websocket-protocol\n${protocols[0]!}` : `, ${protocols[i]!}`;
  }
  if (hostStart > schemeEnd + 2) fields += credentials(stringSlice(href, schemeEnd + 2, hostStart - 1));
  const { response, cancel } = startHandshake(`http${secure}://${target}`, fields);
  end.cancel = cancel;
  void promiseThen(
    response,
    (answer) => {
      if (end.state !== CONNECTING) return;
      const link = linkOf(answer);
      if (link !== undefined) {
        link.tieTo(end);
        end.open(link, link.protocol);
        return;
      }
      discard(answer);
      end.fail(`The server answered ${responseState(answer)!.status} instead of opening a WebSocket`);
    },
    (error) => {
      if (end.state === CONNECTING) end.fail((error as Error).message);
    },
  );
}

function checkProtocols(protocols: readonly string[]): void {
  const seen = new SafeSet<string>();
  for (let i = 0; i < protocols.length; i++) {
    const protocol = protocols[i]!;
    const lower = toLowerCase(protocol);
    if (regExpExec(TOKEN, protocol) === null || seen.has(lower)) {
      throw syntaxError(`the subprotocol '${protocol}' is invalid or occurs twice`);
    }
    seen.add(lower);
  }
}

/** `user` or `user:password` of a URL as a header. */
function credentials(userInfo: string): string {
  const text = stringIndexOf(userInfo, ':') < 0 ? `${userInfo}:` : userInfo;
  try {
    return `\nauthorization\nBasic ${btoa(decodeURIComponent(text))}`;
  } catch {
    return '';
  }
}

/** Lets go of a body that nobody reads. */
function discard(response: Response): void {
  const { source } = responseState(response)!;
  if (typeof source === 'object' && source !== null && 'stop' in source) source.stop();
}

function syntaxError(why: string): DOMException {
  return new DOMException(`Failed to construct 'WebSocket': ${why}`, 'SyntaxError');
}
