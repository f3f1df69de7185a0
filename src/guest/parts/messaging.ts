/** Message channels within an isolate. */
export { MessageChannel, MessagePort } from '../messaging/index.ts';
