/** What is scored: areas of web-platform-tests, each a row of docs/conformance.md. */

export interface Area {
  readonly name: string;
  /** Folders or files of the suite, as prefixes. The first area that has a test takes it. */
  readonly paths: readonly string[];
}

export const AREAS: readonly Area[] = [
  { name: 'url', paths: ['url/'] },
  { name: 'urlpattern', paths: ['urlpattern/'] },
  { name: 'encoding', paths: ['encoding/'] },
  { name: 'streams', paths: ['streams/'] },
  { name: 'compression', paths: ['compression/'] },
  { name: 'webidl', paths: ['webidl/'] },
  { name: 'dom/abort', paths: ['dom/abort/'] },
  { name: 'dom/events', paths: ['dom/events/'] },
  { name: 'html/atob', paths: ['html/webappapis/atob/'] },
  { name: 'html/structured-clone', paths: ['html/webappapis/structured-clone/'] },
  { name: 'html/microtask-queuing', paths: ['html/webappapis/microtask-queuing/'] },
  { name: 'html/timers', paths: ['html/webappapis/timers/'] },
  { name: 'scheduler', paths: ['scheduler/'] },
  { name: 'html/reporterror', paths: ['html/webappapis/scripting/reporterror'] },
  { name: 'FileAPI', paths: ['FileAPI/'] },
  { name: 'xhr/formdata', paths: ['xhr/formdata/'] },
  { name: 'fetch/api/headers', paths: ['fetch/api/headers/'] },
  { name: 'fetch/api/request', paths: ['fetch/api/request/'] },
  { name: 'fetch/api/response', paths: ['fetch/api/response/'] },
  { name: 'fetch/api/body', paths: ['fetch/api/body/'] },
  { name: 'fetch/api/basic', paths: ['fetch/api/basic/'] },
  { name: 'fetch/api/redirect', paths: ['fetch/api/redirect/'] },
  { name: 'fetch/api/abort', paths: ['fetch/api/abort/'] },
  { name: 'fetch/api/idlharness', paths: ['fetch/api/idlharness'] },
  { name: 'fetch/data-urls', paths: ['fetch/data-urls/'] },
  { name: 'fetch/content-encoding', paths: ['fetch/content-encoding/'] },
  { name: 'WebCryptoAPI', paths: ['WebCryptoAPI/'] },
  { name: 'hr-time', paths: ['hr-time/'] },
  { name: 'user-timing', paths: ['user-timing/'] },
  { name: 'console', paths: ['console/'] },
  { name: 'webmessaging/message-channels', paths: ['webmessaging/message-channels/'] },
  { name: 'websockets', paths: ['websockets/'] },
  { name: 'eventsource', paths: ['eventsource/'] },
  { name: 'cache-storage', paths: ['service-workers/cache-storage/'] },
  { name: 'wasm/jsapi', paths: ['wasm/jsapi/'] },
  { name: 'wasm/webapi', paths: ['wasm/webapi/'] },
];

/** The area a test file belongs to; undefined for what is not scored. */
export function areaOf(path: string): Area | undefined {
  return AREAS.find((area) => area.paths.some((prefix) => path.startsWith(prefix)));
}
