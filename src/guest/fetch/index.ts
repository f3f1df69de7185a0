/**
 * Headers, Request, Response, their bodies, and fetch().
 * Called by runtime/. Heads stay text and bodies stay what they were until a program looks at them.
 * Promise: as the Fetch standard for servers; a string body reaches the host as that string.
 * Start at body.ts; platform.ts is the seam to the other parts of the Web platform.
 */
export { bodyStream, isBodyUnusable, isStreamSource, withLength } from './body.ts';
export { parseMimeType, serializeMimeType } from './mime.ts';
export { originOf } from './request-settings.ts';
export {
  askBinding,
  type BindingAnswer,
  deliverFetch,
  findCall,
  NETWORK,
  readAnswer,
  startFetch,
  startHandshake,
} from './fetch.ts';
export { Headers, headersToHead } from './headers.ts';
export { INCOMING, incomingWithBody, isRequest, Request, requestParts } from './request.ts';
export {
  fetchedResponse,
  Response,
  responseHead,
  type ResponseState,
  responseState,
  responseBytes,
  responseText,
  responseType,
  responseWithBody,
} from './response.ts';
export { findSocket, setWebSockets, type SocketLink, webSockets } from './sockets.ts';
